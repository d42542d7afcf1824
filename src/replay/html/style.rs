//! The style sheet of the page, in the colours of the console. Browsers take it as it is written,
//! so it has no character that XML would write as a reference: neither an ampersand nor an angle
//! bracket.

/// Colours for light screens and for dark ones, and what is laid out by them.
pub(super) const STYLE: &str = concat!(
    include_str!("../../../assets/look.css"),
    "\
*{box-sizing:border-box}\
html{font:100%/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
body{margin:0 auto;max-width:90rem;padding:0 1.25rem 2.5rem;\
background:var(--back);color:var(--text);overflow-wrap:anywhere}\
header{margin:0 -1.25rem 1rem;padding:1rem 1.25rem;background:var(--card);\
border-bottom:1px solid var(--line)}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}\
h2{font-size:1.1rem;margin:0 0 .5rem}h3{font-size:1rem;margin:.5rem 0}\
a{color:var(--link);text-underline-offset:.15em}\
:focus-visible{outline:3px solid var(--main);outline-offset:2px;border-radius:.2rem}\
dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0}dl div{min-width:0}\
dt{font-size:.83rem;color:var(--quiet)}dd{margin:0;font-weight:550}\
.broken{border-left:4px solid var(--bad);border-radius:.25rem;padding:.6rem .9rem;\
background:var(--bad-back)}\
fieldset{border:1px solid var(--line);border-radius:.5rem;margin:1rem 0;padding:.75rem 1rem;\
display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;background:var(--card)}\
legend{font-size:.88rem;font-weight:600}label{white-space:nowrap}\
input{width:1.1rem;height:1.1rem;accent-color:var(--main);vertical-align:-.15rem}\
section,main details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;\
padding:.75rem 1rem;margin:.75rem 0}\
section{border-left:4px solid var(--bad)}\
section details{border:0;padding:.25rem 0;margin:0}\
section h2{color:var(--bad)}summary{cursor:pointer;font-weight:600}\
ul,ol{padding-left:1.5rem}ul b{font-weight:600}\
.sides{display:flex;flex-wrap:wrap;gap:0 1rem}.sides div{flex:1 1 22em;min-width:0}\
pre{font:.82rem/1.5 ui-monospace,'SF Mono',Menlo,Consolas,monospace;white-space:pre-wrap;\
overflow-wrap:anywhere;background:var(--soft);padding:.75rem;border-radius:.4rem;margin:.5rem 0}\
pre details{display:inline;border:0;padding:0;margin:0}pre summary{font-weight:400;display:inline}\
del{background:var(--bad-back);color:var(--bad);text-decoration:none}\
ins{background:var(--good-back);color:var(--good);text-decoration:none}\
body:has(#show-failed:not(:checked)) main .failed,\
body:has(#show-not-served:not(:checked)) main .not-served,\
body:has(#show-not-run:not(:checked)) main .not-run,\
body:has(#show-skipped:not(:checked)) main .skipped,\
body:has(#show-updated:not(:checked)) main .updated,\
body:has(#show-passed:not(:checked)) main .passed{display:none}"
);
