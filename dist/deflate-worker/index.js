import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
var __webpack_exports__ = {};

;// CONCATENATED MODULE: external "node:worker_threads"
const external_node_worker_threads_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:worker_threads");
;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
;// CONCATENATED MODULE: external "node:timers/promises"
const promises_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:timers/promises");
;// CONCATENATED MODULE: external "node:zlib"
const external_node_zlib_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");
;// CONCATENATED MODULE: ./src/bundle/zlib.ts
/**
 * zlib's deflate in WebAssembly, as @zip.js/zip.js ships it. Node's own zlib makes other bytes after an update, and made
 * others on other processors until Node 20; this one makes the same everywhere.
 */
/** Bytes that go in at once, and come out at most. */
const PIECE = 65_536;
/** zlib's own default, between time and size. */
const LEVEL = 6;
/** zlib.h */
const Z_NO_FLUSH = 0;
const Z_FINISH = 4;
const Z_STREAM_END = 1;
async function compileZlib(code) {
    return WebAssembly.compile(code);
}
/** For one thread: makes streams of raw deflate. */
function startZlib(code) {
    const zlib = new WebAssembly.Instance(code).exports;
    zlib._initialize();
    const [input, output] = [zlib.malloc(PIECE), zlib.malloc(PIECE)];
    return () => {
        const stream = zlib.deflate_new();
        check(zlib.deflate_init_raw(stream, LEVEL));
        return {
            push(piece, last) {
                const ready = [];
                new Uint8Array(zlib.memory.buffer).set(piece, input);
                for (let at = 0, isDone = false; !isDone;) {
                    const left = piece.length - at;
                    const flush = last ? Z_FINISH : Z_NO_FLUSH;
                    const result = zlib.deflate_process(stream, input + at, left, output, PIECE, flush);
                    // zlib's code in the highest byte, with its sign; the bytes that came out in the others.
                    const [status, made] = [result >> 24, result & 0xff_ffff];
                    const consumed = zlib.deflate_last_consumed(stream);
                    check(status, made + consumed > 0 || status === Z_STREAM_END || left === 0);
                    if (made > 0)
                        ready.push(new Uint8Array(zlib.memory.buffer).slice(output, output + made));
                    at += consumed;
                    isDone = last ? status === Z_STREAM_END : at === piece.length;
                }
                return ready;
            },
            end: () => void zlib.deflate_end(stream),
        };
    };
}
function check(status, isMoving = true) {
    if (status < 0 || !isMoving)
        throw new Error(`zlib ended with status ${status}.`);
}

;// CONCATENATED MODULE: ./src/bundle/deflate.ts







/** Of each thread, so that none waits for the next task. */
const TASKS_A_THREAD = 4;
/** More threads than this wait for the disk. */
const MOST_THREADS = 8;
/** The file no longer has the size that it was told to have. */
class SizeChanged extends Error {
}
/** Formats that are compressed by themselves; deflating them again takes long and gains nothing. */
function isPacked(path) {
    return /\.(png|jpe?g|gif|webp|avif|heic|mp[34]|m4[av]|webm|og[gv]|woff2?|zip|gz|br|zst|7z)$/i.test(path);
}
/** A deflated file piece by piece. Throws `SizeChanged`. */
function* deflatePieces(task, startStream) {
    const stream = startStream();
    try {
        for (const { piece, last, ...sums } of readPieces(task, new Uint8Array(Math.min(PIECE, task.size))))
            for (const data of stream.push(piece, last))
                yield { data, ...sums };
    }
    finally {
        stream.end();
    }
}
/**
 * A file in pieces as long as `buffer`, the last one shorter (and empty when the file is); each is in `buffer`, and
 * good until the next. Reads at once: for many small files to wait takes longer than to read. Throws `SizeChanged`.
 */
function* readPieces({ path, size, hashed }, buffer) {
    const hash = hashed ? (0,external_node_crypto_namespaceObject.createHash)('sha256') : null;
    let crc = 0;
    const file = (0,external_node_fs_namespaceObject.openSync)(path, 'r');
    try {
        if ((0,external_node_fs_namespaceObject.fstatSync)(file).size !== size)
            throw new SizeChanged();
        let left = size;
        do {
            const length = Math.min(buffer.length, left);
            for (let filled = 0; filled < length;) {
                const count = (0,external_node_fs_namespaceObject.readSync)(file, buffer, filled, length - filled, null);
                if (count === 0)
                    throw new SizeChanged();
                filled += count;
            }
            left -= length;
            const piece = buffer.subarray(0, length);
            crc = (0,external_node_zlib_namespaceObject.crc32)(piece, crc);
            hash?.update(piece);
            const last = left === 0;
            yield { piece, last, crc, sha256: last ? (hash?.digest('hex') ?? null) : null };
        } while (left > 0);
    }
    finally {
        (0,external_node_fs_namespaceObject.closeSync)(file);
    }
}
/** The same in one piece. */
function deflateFile(task, startStream) {
    const pieces = [];
    let last = { crc: 0, sha256: null };
    try {
        for (const { data, ...sums } of deflatePieces(task, startStream)) {
            pieces.push(data);
            last = sums;
        }
    }
    catch (error) {
        if (error instanceof SizeChanged)
            return null;
        throw error;
    }
    return { data: concatenate(pieces), ...last };
}
function concatenate(pieces) {
    const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}
/** Deflates on all cores. `source` is the text of the built `deflate-worker.ts`: a build could change the file. */
function startDeflater(source, zlib) {
    const threads = Array.from({ length: Math.min(availableParallelism(), MOST_THREADS) }, () => new Worker(source, { eval: true, env: {}, workerData: zlib }));
    const waiting = new Map();
    let broken = null;
    const fail = (error) => {
        broken ??= error;
        for (const { reject } of waiting.values())
            reject(broken);
        waiting.clear();
    };
    for (const thread of threads) {
        thread.on('message', ({ id, result, error }) => {
            const task = waiting.get(id);
            waiting.delete(id);
            if (error === undefined)
                task?.resolve(result);
            else
                task?.reject(error);
        });
        thread.on('error', fail);
        thread.on('exit', code => fail(new Error(`A thread that deflates ended with exit code ${code}.`)));
    }
    let count = 0;
    return {
        ahead: threads.length * TASKS_A_THREAD,
        deflate(task) {
            if (broken !== null)
                return Promise.reject(broken);
            const id = count++;
            return new Promise((resolve, reject) => {
                waiting.set(id, { resolve, reject });
                threads[id % threads.length]?.postMessage({ id, task });
            });
        },
        async close() {
            await Promise.all(threads.map(thread => thread.terminate()));
        },
    };
}
/** In this thread: for few bytes that is faster than to start others. Answers of servers are taken in between. */
function deflateHere(startStream) {
    return {
        ahead: 1,
        async deflate(task) {
            await nextTurn();
            return deflateFile(task, startStream);
        },
        async close() { },
    };
}

;// CONCATENATED MODULE: ./src/bundle/deflate-worker.ts
/** A thread that deflates files; see deflate.ts. */



const startStream = startZlib(external_node_worker_threads_namespaceObject.workerData);
external_node_worker_threads_namespaceObject.parentPort?.on('message', ({ id, task }) => {
    try {
        const result = deflateFile(task, startStream);
        external_node_worker_threads_namespaceObject.parentPort?.postMessage({ id, result }, result === null ? [] : [result.data.buffer]);
    }
    catch (error) {
        external_node_worker_threads_namespaceObject.parentPort?.postMessage({ id, result: null, error });
    }
});

