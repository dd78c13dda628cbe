/** The component's look. Colours follow the system, or the attribute `theme`; each can be set from outside. */
const LIGHT = `
  --_surface: var(--join-beta-surface, #ffffff);
  --_sunken: var(--join-beta-sunken, #f3f5f8);
  --_text: var(--join-beta-text, #14181f);
  --_muted: var(--join-beta-muted, #566070);
  --_line: var(--join-beta-line, #d9dee6);
  --_accent: var(--join-beta-accent, #1556d6);
  --_on-accent: var(--join-beta-on-accent, #ffffff);
  --_good: var(--join-beta-good, #0b6b3a);
  --_good-back: var(--join-beta-good-back, #e3f6ea);
  --_bad: var(--join-beta-bad, #a8141f);
  --_bad-back: var(--join-beta-bad-back, #fdecec);
  color-scheme: light;
`
const DARK = `
  --_surface: var(--join-beta-surface, #171b22);
  --_sunken: var(--join-beta-sunken, #222833);
  --_text: var(--join-beta-text, #eef1f6);
  --_muted: var(--join-beta-muted, #a4afc0);
  --_line: var(--join-beta-line, #353d4a);
  --_accent: var(--join-beta-accent, #8fb4ff);
  --_on-accent: var(--join-beta-on-accent, #0a1a3a);
  --_good: var(--join-beta-good, #7ddba5);
  --_good-back: var(--join-beta-good-back, #16321f);
  --_bad: var(--join-beta-bad, #ffa3a3);
  --_bad-back: var(--join-beta-bad-back, #3a1a1d);
  color-scheme: dark;
`

export const STYLE = `
:host { display: block; font: 400 1rem/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; ${LIGHT} }
@media (prefers-color-scheme: dark) { :host(:not([theme='light'])) { ${DARK} } }
:host([theme='dark']) { ${DARK} }
:host([hidden]) { display: none }
* { box-sizing: border-box }
.card {
  color: var(--_text); background: var(--_surface);
  border: 1px solid var(--_line); border-radius: 20px;
  padding: 20px; max-width: 30rem; margin-inline: auto;
  display: flex; flex-direction: column; gap: 20px;
}
.content { display: contents }
h2, h3, p, dl, dd, ul { margin: 0; padding: 0 }
h2 { font-size: 1.375rem; line-height: 1.25; letter-spacing: -0.01em }
h3 { font-size: 1rem; margin-bottom: 10px }
.lead, .hint { color: var(--_muted) }
.lead { margin-top: 4px }
.hint { font-size: 0.875rem }
dl { display: grid; gap: 14px; background: var(--_sunken); border-radius: 14px; padding: 16px }
dt { font-size: 0.8125rem; color: var(--_muted); margin-bottom: 2px }
.id { display: flex; align-items: center; gap: 12px }
code { font: 0.875rem/1.4 ui-monospace, 'SF Mono', Menlo, 'Roboto Mono', monospace; overflow-wrap: anywhere; flex: 1; direction: ltr; unicode-bidi: isolate }
.name { font-weight: 600; overflow-wrap: anywhere }
ul { list-style: none; border: 1px solid var(--_line); border-radius: 14px }
li { display: flex; align-items: center; gap: 12px; padding-block: 10px; padding-inline: 16px 10px; min-height: 64px }
li + li { border-top: 1px solid var(--_line) }
li > div { flex: 1; min-width: 0 }
li button { min-width: 6rem }
.here { color: var(--_good); font-size: 0.875rem }
button, .button {
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  min-height: 44px; min-width: 44px; padding: 9px 18px; border-radius: 12px;
  border: 1px solid transparent; color: var(--_accent); background: transparent;
  flex-shrink: 0; -webkit-tap-highlight-color: transparent;
}
.primary { color: var(--_on-accent); background: var(--_accent) }
.outlined { border-color: var(--_line); background: var(--_surface) }
.wide { display: block; width: 100% }
.wide + .hint { margin-top: 8px }
.quiet { color: var(--_muted); font-weight: 500 }
[aria-disabled='true'] { opacity: 0.6; cursor: default }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px }
@media (hover: hover) { button:not([aria-disabled='true']):hover, .button:hover { filter: brightness(1.06) } }
.note { border-radius: 12px; padding: 12px 16px }
.note[role] { position: sticky; bottom: max(12px, env(safe-area-inset-bottom)); box-shadow: 0 4px 16px rgb(0 0 0 / 0.18) }
.note[role]:empty { margin-top: -20px; padding: 0; box-shadow: none }
.good { color: var(--_good); background: var(--_good-back) }
.bad { color: var(--_bad); background: var(--_bad-back) }
.plain { background: var(--_sunken) }
dialog {
  font: inherit; color: var(--_text); background: var(--_surface); border: 1px solid var(--_line);
  border-radius: 20px; padding: 24px; width: min(26rem, calc(100vw - 32px));
}
dialog::backdrop { background: rgb(0 0 0 / 0.5) }
dialog h3 { font-size: 1.125rem; line-height: 1.3; margin: 0 }
dialog p { margin-top: 12px }
.choices { display: flex; flex-direction: column; gap: 8px; margin-top: 20px }
`
