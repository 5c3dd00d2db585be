import { Html } from './html.js';

/** The colours follow the reader's system, with a contrast of 7:1 or more. */
export const STYLE = new Html(`
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #767676; --link: #0b3d91; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #16181c; --line: #8a8a8a; --link: #a9c7ff; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 75rem; margin: 0 auto; padding: 1rem; }
a { color: var(--link); }
.skip:not(:focus) { position: absolute; left: -999rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
nav h2 { font-size: 1rem; margin: .5rem 0 0; }
section { border-top: 1px solid var(--line); margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; font-weight: normal; }
thead th { font-weight: bold; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .75rem; }
`);
