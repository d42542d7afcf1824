//! The style sheet of the page. Browsers take it as it is written, so it has no character that XML
//! would write as a reference: neither an ampersand nor an angle bracket.

/// Colours for light screens and for dark ones, with a contrast of 4.5 to 1 or more.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#f2f4f6;--line:#8a939d;\
--bad:#a40e26;--bad-back:#ffe3e6;--good:#0b5d1e;--good-back:#dff5e3;--link:#0645ad}\
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e6e9ec;--soft:#22272c;\
--line:#7d8791;--bad:#ff9aa5;--bad-back:#4a171e;--good:#8fe0a2;--good-back:#143d20;\
--link:#8ab4f8}}\
*{box-sizing:border-box}\
body{font:1rem/1.45 system-ui,sans-serif;margin:0 auto;max-width:100em;padding:1rem;\
background:var(--back);color:var(--text);overflow-wrap:anywhere}\
h1{font-size:1.5rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:0 0 .5rem}\
h3{font-size:1rem;margin:.5rem 0}a{color:var(--link)}\
dl{display:flex;flex-wrap:wrap;gap:.25rem 2rem;margin:0}dl div{min-width:0}\
dt{font-size:.85rem}dd{margin:0;font-weight:600}\
.broken{border-left:.3rem solid var(--bad);padding:.5rem;background:var(--bad-back)}\
fieldset{border:1px solid var(--line);border-radius:.3rem;margin:1rem 0;display:flex;\
flex-wrap:wrap;gap:.25rem 1.25rem}label{white-space:nowrap}\
section,main details{border-top:1px solid var(--line);padding:1rem 0}\
section details{border:0;padding:.25rem 0}\
section h2{color:var(--bad)}summary{cursor:pointer;font-weight:600}\
ul,ol{padding-left:1.5rem}ul b{font-weight:600}\
.sides{display:flex;flex-wrap:wrap;gap:0 1rem}.sides div{flex:1 1 22em;min-width:0}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);padding:.5rem;\
font-size:.8rem;margin:.5rem 0}\
del{background:var(--bad-back);color:var(--bad);text-decoration:none}\
ins{background:var(--good-back);color:var(--good);text-decoration:none}\
body:has(#show-failed:not(:checked)) main .failed,\
body:has(#show-not-served:not(:checked)) main .not-served,\
body:has(#show-not-run:not(:checked)) main .not-run,\
body:has(#show-skipped:not(:checked)) main .skipped,\
body:has(#show-updated:not(:checked)) main .updated,\
body:has(#show-passed:not(:checked)) main .passed{display:none}";
