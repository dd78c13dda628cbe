import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 732:
/***/ ((module, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(module, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(161);
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__nccwpck_require__.n(node_os__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__nccwpck_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(500);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__nccwpck_require__.n(node_timers_promises__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(136);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_3___default = /*#__PURE__*/__nccwpck_require__.n(node_url__WEBPACK_IMPORTED_MODULE_3__);
/* harmony import */ var _runtime_environment_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(329);
/* harmony import */ var _runtime_handover_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(4);
var __rewriteRelativeImportExtension = (undefined && undefined.__rewriteRelativeImportExtension) || function (path, preserveJsx) {
    if (typeof path === "string" && /^\.\.?\//.test(path)) {
        return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, function (m, tsx, d, ext, cm) {
            return tsx ? preserveJsx ? ".jsx" : ".js" : d && (!ext || !cm) ? m : (d + ext + "." + cm.toLowerCase() + "js");
        });
    }
    return path;
};
/**
 * What the runner starts: hands the tokens to the action without leaving them in the environment of a process that
 * a build could look at. A program of its own, so that this takes no time.
 */






const { env } = process;
const own = process.argv[1] ?? '';
const action = (0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)((0,node_path__WEBPACK_IMPORTED_MODULE_1__.dirname)(own), '..', 'index.js');
/** The signal by which the run was cancelled before the action was there to hear it. */
let early = process.argv[3];
const SIGNALS = ['SIGINT', 'SIGTERM'];
// Without a listener a signal ends the process without a word.
for (const name of SIGNALS)
    process.on(name, () => {
        early ??= name;
    });
/**
 * What is garbage goes early: compressing makes some 100 kB of it for each file, mostly beside V8's heap, where V8 counts
 * it by the size of its young generation, and glibc keeps what is smaller than a threshold for later, for each thread
 * apart. Without these, delta files of a large bundle take half as much memory again.
 */
const LEAN_FLAGS = ['--max-semi-space-size=2'];
const LEAN_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };
if (process.argv[2] !== _runtime_handover_js__WEBPACK_IMPORTED_MODULE_4__/* .SEALED */ .pU) {
    // A listener is called between two turns, and none outlives the replacement of the process.
    await (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_2__.setImmediate)();
    const secrets = _runtime_environment_js__WEBPACK_IMPORTED_MODULE_5__/* .SECRET_INPUTS */ .pH.map(name => env[`INPUT_${name.toUpperCase()}`]?.trim() ?? '');
    (0,_runtime_handover_js__WEBPACK_IMPORTED_MODULE_4__/* .sealInto */ .Ag)(own, {
        all: env,
        open: { ...LEAN_ENVIRONMENT, ...(0,_runtime_environment_js__WEBPACK_IMPORTED_MODULE_5__/* .childEnvironment */ .Qc)(env, secrets) },
        flags: LEAN_FLAGS,
        more: early === undefined ? [] : [early],
        // Memory first: nothing of it comes to a disk.
        folders: ['/dev/shm', env.RUNNER_TEMP || (0,node_os__WEBPACK_IMPORTED_MODULE_0__.tmpdir)(), (0,node_os__WEBPACK_IMPORTED_MODULE_0__.tmpdir)()],
    });
}
process.argv[1] = action;
const running = import(__rewriteRelativeImportExtension(/* webpackIgnore: true */ (0,node_url__WEBPACK_IMPORTED_MODULE_3__.pathToFileURL)(action).href));
// The action listens before it does anything that takes time, and hears then what came earlier.
const waiting = setInterval(() => {
    if (SIGNALS.some(name => process.listenerCount(name) < 2))
        return;
    clearInterval(waiting);
    if (early !== undefined)
        process.emit(early, early);
}, 5);
waiting.unref();
await running;

__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 329:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Qc: () => (/* binding */ childEnvironment),
/* harmony export */   pH: () => (/* binding */ SECRET_INPUTS)
/* harmony export */ });
/* unused harmony exports RUNNER_NAMES, TOKEN_NAMES, isTokenName, SEARCHABLE_SECRET, hideSecrets */
/** What child processes are given of the environment, and what is told of what they print. */
/** Inputs that are a secret. The database's key is a public one, but who knows which one somebody gives. */
const SECRET_INPUTS = [
    'capgo-token',
    'devices-token',
    'github-token',
    'private-key',
    'database-key',
];
/**
 * Names that no build, install or config gets to see. From the sources of actions/runner:
 * - `INPUT_*`: this action's inputs, the Capgo token among them (`Handlers/NodeScriptActionHandler.cs`).
 * - `ACTIONS_*`: `ACTIONS_RUNTIME_TOKEN`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN` and the URLs they are for (the same
 *   file). All of the prefix belongs to the runner.
 * - `GITHUB_ENV` and the like: files through which a step sets outputs, variables, the path, the state or the
 *   summary; every `ContextName` in `FileCommandManager.cs` and `CreateArtifactsFileCommand.cs`.
 */
const RUNNER_NAMES = [
    /^INPUT_/i,
    /^ACTIONS_/i,
    /^GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|ARTIFACTS)$/i,
];
/** Where workflows usually keep GitHub and Capgo tokens: a build gets them on purpose alone (`build-secrets`). A public key is none. */
const TOKEN_NAMES = [
    /^(GITHUB|GH)(_ENTERPRISE)?_(TOKEN|PAT)$/i,
    /^CAPGO_(?!.*PUBLIC).*(TOKEN|KEY|SECRET|PASSWORD)/i,
];
const isTokenName = (name) => TOKEN_NAMES.some(pattern => pattern.test(name));
/** A shorter secret would be found inside harmless values; it only counts when it is the whole value. */
const SEARCHABLE_SECRET = 6;
/**
 * The environment for builds, installs and config evaluation: without what is secret by name, and without
 * every variable whose value contains one of `secrets`. Everything else is the user's and stays.
 */
function childEnvironment(env, secrets = []) {
    const real = secrets.filter(secret => secret !== '');
    const holdsSecret = (value) => real.some(secret => value === secret || (secret.length >= SEARCHABLE_SECRET && value.includes(secret)));
    const clean = {};
    for (const [name, value] of Object.entries(env))
        if (value !== undefined &&
            !RUNNER_NAMES.some(pattern => pattern.test(name)) &&
            !isTokenName(name) &&
            !holdsSecret(value))
            clean[name] = value;
    return clean;
}
/** How people name variables that hold what nobody else may read. */
const PRIVATE_NAME = /TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|AUTH|DSN|WEBHOOK|CERT|KEYSTORE/i;
/**
 * Text without the values of variables that are secret by their name. GitHub masks secrets in logs and
 * summaries; a comment is masked by nobody, and a build may print what it was given.
 */
function hideSecrets(text, env) {
    const values = Object.entries(env)
        .filter(([name]) => PRIVATE_NAME.test(name))
        .flatMap(([, value]) => [value, ...value.split(/\r?\n/)])
        .map(value => value.trim())
        .filter(value => value.length >= SEARCHABLE_SECRET);
    // The longest first: one may begin with another.
    return values
        .sort((one, other) => other.length - one.length)
        .reduce((hidden, value) => hidden.replaceAll(value, '***'), text);
}


/***/ }),

/***/ 4:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  pU: () => (/* binding */ SEALED),
  Ag: () => (/* binding */ sealInto)
});

// UNUSED EXPORTS: unseal

;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(760);
;// CONCATENATED MODULE: ./src/runtime/handover.ts
/**
 * A process cannot take its first environment back: whoever runs as the same user reads the tokens in it from
 * `/proc/<pid>/environ`, and so can every build. So the process is replaced by one that never had them in its
 * environment; it reads them from standard input, a file without a name, which is empty from then on.
 */


/** The argument that tells the new process that its standard input holds the environment. */
const SEALED = '--sealed';
/** A debugger asks no user for a password: this signal would open one, and a build may send it. */
const NO_DEBUGGER = '--disable-sigusr1';
/**
 * Replaces this process by `node script`, with `open` as its environment, `all` for `unseal`, `flags` for Node and `more`
 * as arguments.
 * Returns where that is not possible: Windows cannot replace a process.
 */
function sealInto(script, { all, open, flags, more, folders, }) {
    if (process.platform === 'win32' || process.execve === undefined)
        return;
    const noDebugger = process.allowedNodeEnvironmentFlags.has(NO_DEBUGGER) ? [NO_DEBUGGER] : [];
    (0,external_node_fs_namespaceObject.closeSync)(0);
    for (const folder of folders) {
        const file = openNameless(folder);
        if (file === null)
            continue;
        if (!fills(file, JSON.stringify(all))) {
            (0,external_node_fs_namespaceObject.closeSync)(file);
            continue;
        }
        // The lowest number that is free: only standard input outlives the replacement.
        if (file === 0)
            process.execve(process.execPath, [process.execPath, ...process.execArgv, ...noDebugger, ...flags, script, SEALED, ...more], open);
        (0,external_node_fs_namespaceObject.closeSync)(file);
        break;
    }
    (0,external_node_fs_namespaceObject.openSync)('/dev/null', 'r');
}
/** A file that nobody else can open by a name; null where the folder takes none. */
function openNameless(folder) {
    const path = (0,external_node_path_.join)(folder, `capgo-publish-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
        const file = (0,external_node_fs_namespaceObject.openSync)(path, external_node_fs_namespaceObject.constants.O_RDWR | external_node_fs_namespaceObject.constants.O_CREAT | external_node_fs_namespaceObject.constants.O_EXCL, 0o600);
        (0,external_node_fs_namespaceObject.unlinkSync)(path);
        return file;
    }
    catch {
        return null;
    }
}
/** False where there is no room for the text. */
function fills(file, text) {
    try {
        (0,external_node_fs_namespaceObject.writeFileSync)(file, text);
        return true;
    }
    catch {
        return false;
    }
}
/** Gives this process the environment that `sealInto` kept; can be done once. */
function unseal(env) {
    const bytes = Buffer.alloc(fstatSync(0).size);
    for (let at = 0; at < bytes.length;)
        at += readSync(0, bytes, at, bytes.length - at, at);
    ftruncateSync(0, 0);
    const all = JSON.parse(bytes.toString('utf8'));
    for (const name of Object.keys(env))
        if (!(name in all))
            delete env[name];
    Object.assign(env, all);
}


/***/ }),

/***/ 161:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");

/***/ }),

/***/ 760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 500:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:timers/promises");

/***/ }),

/***/ 136:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:url");

/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/compat get default export */
/******/ (() => {
/******/ 	// getDefaultExport function for compatibility with non-harmony modules
/******/ 	__nccwpck_require__.n = (module) => {
/******/ 		var getter = module && module.__esModule ?
/******/ 			() => (module['default']) :
/******/ 			() => (module);
/******/ 		__nccwpck_require__.d(getter, { a: getter });
/******/ 		return getter;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(732);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
