//! What nodes look like.

/// The fill of a node, by type: much as in Node-RED's palette, so that a flow is recognised.
pub(super) fn fill(kind: &str) -> &'static str {
    match kind {
        "inject" => "#a6bbcf",
        "debug" => "#87a980",
        "function" | "exec" => "#fdd0a2",
        "change" | "switch" | "rbe" | "range" | "split" | "join" | "sort" | "batch" | "smooth" => "#e2d96e",
        "template" => "#f3b567",
        "delay" | "trigger" => "#e6e0f8",
        "catch" => "#e49191",
        "status" | "complete" => "#c0edc0",
        "csv" | "json" | "html" | "xml" | "yaml" => "#debd5c",
        "file" | "file in" | "watch" => "#deb887",
        "link in" | "link out" | "link call" => "#dddddd",
        "comment" => "#ffffff",
        _ if kind.starts_with("mqtt") => "#d8bfd8",
        _ if kind.starts_with("http") => "#e7e7ae",
        _ if kind.starts_with("tcp") || kind.starts_with("udp") => "#c0c0c0",
        _ if kind.starts_with("websocket") => "#d7d7a0",
        _ if kind.starts_with("subflow") => "#ddaa99",
        _ => "#dddddd",
    }
}

/// The page's style sheet: no request leaves the page, and it follows the reader's light or dark setting.
pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --grid: #eef1f4; --wire: #8c959f; --error: #c4232b; --warning: #9a5b00; --info: #0969da; --chip: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
  --panel: #151b23; --grid: #161c24; --wire: #7d8590; --error: #ff7b72; --warning: #e3a33b; --info: #6cb6ff; --chip: #0d1117; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1400px; margin: 0 auto; padding: 24px; }
header { padding-bottom: 0; } h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 40px 0 8px; } p { margin: 8px 0; } .faint { color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin: 16px 0 0; padding: 0; list-style: none; }
nav a, .count { border: 1px solid var(--line); border-radius: 6px; padding: 3px 10px; background: var(--panel);
  color: var(--ink); text-decoration: none; }
nav a:hover { border-color: var(--faint); } nav { max-height: 40vh; overflow: auto; }
nav b { border-left: 1px solid var(--line); color: var(--faint); font-weight: 600; margin-left: 6px; padding-left: 8px; }
.counts { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); } .count b { font-weight: 600; }
.canvas { overflow: auto; max-height: 85vh; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); }
.canvas svg { display: block; }
.group rect { fill: none; stroke: var(--wire); stroke-dasharray: 6 3; } .group text { fill: var(--faint); font-size: 13px; }
.wire { fill: none; stroke: var(--wire); stroke-width: 2.5; } .wire.off { stroke-dasharray: 6 4; }
.node .box { stroke: #80858c; stroke-width: 1; } .node text { fill: #1f2328; font-size: 14px; }
.node.comment .box { fill: none; stroke-dasharray: 2 2; } .node.comment text { fill: var(--ink); }
.node.off .box { fill-opacity: .2; stroke-dasharray: 4 3; } .node.off > text { fill: var(--faint); } .port { fill: #d9dde1; stroke: #80858c; }
.node.error .box { stroke: var(--error); stroke-width: 3; } .node.warning .box { stroke: var(--warning); stroke-width: 3; }
.node.info .box { stroke: var(--info); stroke-width: 2; } .node:target .box { stroke-width: 5; }
.badge circle { fill: var(--chip); stroke-width: 2; stroke: currentColor; }
.badge text { fill: currentColor; font-size: 12px; font-weight: 700; text-anchor: middle; }
ol { list-style: none; margin: 16px 0 0; padding: 0; border-top: 1px solid var(--line); }
li.finding { display: grid; grid-template-columns: 92px minmax(150px, 260px) 1fr; gap: 4px 16px; padding: 12px 4px;
  border-bottom: 1px solid var(--line); } li.finding:target { background: var(--panel); }
.finding .severity { font-weight: 600; } .finding a { color: inherit; overflow-wrap: anywhere; } .finding code { font-size: 13px; }
.finding p { margin: 0 0 4px; overflow-wrap: anywhere; }
@media (max-width: 720px) { header, main { padding: 16px; } li.finding { grid-template-columns: 1fr; } }
@media print { .canvas { max-height: none; overflow: visible; } }
";
