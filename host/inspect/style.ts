// How pages look: one style sheet for light, dark, phones and paper. In: nothing. Out: CSS. Must not know what pages show.
// Colours come as variables; families of layers have the same colour in the table, the memory picture, the graph and the chart.

export const style = `
:root { color-scheme: light dark;
  --ground: #faf9f6; --card: #ffffff; --ink: #23262b; --soft: #666b73; --line: #e4e1da; --wire: #b9b5ab; --bar: #d9d5cb; --accent: #b3432b; --on: #ffffff;
  --conv: #3f6fb0; --depthwise: #2b8a86; --dense: #b5692f; --pool: #748433; --join: #7d62a8; --other: #7b7e85; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #15171b; --card: #1d2025; --ink: #e6e3dc; --soft: #9b9fa8; --line: #2d3138; --wire: #565c66; --bar: #3a3f48; --accent: #f08a6d; --on: #14161a;
  --conv: #7fa8e3; --depthwise: #66bdb8; --dense: #dd9a66; --pool: #a9ba68; --join: #b29ade; --other: #a2a6ae; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 44px 24px 64px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin: 52px 0 4px; font-size: 19px; font-weight: 620; letter-spacing: -0.005em; }
p { margin: 0 0 14px; max-width: 72ch; color: var(--soft); }
.lead { margin: 6px 0 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 1px; margin: 28px 0 0; padding: 0; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.tiles div { background: var(--card); padding: 14px 16px 12px; }
.tiles dt { color: var(--soft); font-size: 12.5px; }
.tiles dd { margin: 2px 0 0; font-size: 21px; font-weight: 600; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles small { display: block; color: var(--soft); font-size: 12px; font-weight: 400; letter-spacing: 0; overflow: hidden; text-overflow: ellipsis; }
.frame { background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: auto; }
.frame.tall { max-height: 82vh; }
.pad { padding: 18px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: left; white-space: nowrap; vertical-align: top; }
th { position: sticky; top: 0; z-index: 1; background: var(--card); border-bottom: 1px solid var(--line); color: var(--soft); font-weight: 550; font-size: 12.5px; }
td { border-top: 1px solid var(--line); }
tbody tr:first-child td { border-top: 0; }
tfoot td { border-top: 2px solid var(--line); font-weight: 620; }
th.number, td.number { text-align: right; }
td:first-child { font-weight: 550; }
td.op, td.zero { color: var(--soft); }
td.op b { color: var(--ink); font-weight: 500; }
.key { display: inline-block; width: 9px; height: 9px; margin-right: 7px; border-radius: 3px; }
.bar { display: block; width: 66px; height: 3px; margin: 2px 0 0 auto; }
.bar rect { fill: var(--bar); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 12px; padding: 0; list-style: none; color: var(--soft); font-size: 13px; }
.key.conv { background: var(--conv); } .key.depthwise { background: var(--depthwise); } .key.dense { background: var(--dense); }
.key.pool { background: var(--pool); } .key.join { background: var(--join); } .key.other { background: var(--other); }
svg { display: block; }
svg text { font-family: inherit; fill: var(--ink); }
.network { margin: 0 auto; }
.entry { display: flex; height: 0; } .entry svg, .entry i { flex: none; } .entry i { width: 320px; scroll-initial-target: nearest; }
.network .line { fill: none; stroke: var(--wire); stroke-width: 1.3; }
.network .head { fill: var(--wire); }
.network .card { fill: var(--ground); stroke: var(--line); }
.network .name { font-size: 12px; font-weight: 600; }
.network .detail { font-size: 11px; fill: var(--soft); }
.box.conv .stripe { fill: var(--conv); } .box.depthwise .stripe { fill: var(--depthwise); } .box.dense .stripe { fill: var(--dense); }
.box.pool .stripe { fill: var(--pool); } .box.join .stripe { fill: var(--join); } .box.other .stripe { fill: var(--other); }
.plot .grid { stroke: var(--line); } .plot .tick, .plot .axis { font-size: 11.5px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.plot .guide { stroke: var(--wire); stroke-dasharray: 1 5; } .plot .guide-name { font-size: 10.5px; fill: var(--soft); }
.plot .limit { stroke: var(--soft); stroke-dasharray: 5 4; } .plot line.peak { stroke: var(--accent); stroke-width: 1.4; } .plot text.peak { fill: var(--accent); font-size: 12.5px; font-weight: 600; }
.block rect { stroke: var(--card); stroke-width: 1; } .block.scratch rect { opacity: 0.55; } .block text { font-size: 10.5px; fill: var(--on); }
.block.conv rect { fill: var(--conv); } .block.depthwise rect { fill: var(--depthwise); } .block.dense rect { fill: var(--dense); }
.block.pool rect { fill: var(--pool); } .block.join rect { fill: var(--join); } .block.other rect { fill: var(--other); }
.point circle { fill: var(--conv); fill-opacity: 0.32; stroke: var(--conv); stroke-width: 1.4; } .point .core { fill: var(--conv); fill-opacity: 1; stroke: none; }
.point text { font-size: 12.5px; font-weight: 550; paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; } .point .leader { stroke: var(--soft); stroke-width: 0.8; }
.sizes circle { fill: none; stroke: var(--wire); } .sizes line { stroke: var(--wire); stroke-dasharray: 1 3; } .sizes text { font-size: 11px; fill: var(--soft); }
.narrow { display: none; }
footer { margin-top: 56px; color: var(--soft); font-size: 13px; }
@media screen and (max-width: 720px) {
  main { padding: 26px 14px 40px; } h1 { font-size: 24px; } h2 { margin-top: 38px; }
  .tiles { grid-template-columns: repeat(2, 1fr); } .tiles div:last-child:nth-child(odd) { grid-column: span 2; } .tiles dd { font-size: 18px; } .pad { padding: 10px; }
  .wide { display: none; } .narrow { display: block; }
  td:first-child, th:first-child { position: sticky; left: 0; background: var(--card); z-index: 1; } th:first-child { z-index: 2; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #111; --soft: #444; --line: #ccc; --wire: #888; --bar: #bbb; --accent: #b3432b; --on: #fff;
    --conv: #3f6fb0; --depthwise: #2b8a86; --dense: #b5692f; --pool: #748433; --join: #7d62a8; --other: #7b7e85; }
  body { font-size: 11px; } main { max-width: none; padding: 0; } .frame, .frame.tall { overflow: visible; max-height: none; border: 0; } .pad { padding: 0; }
  table { font-size: 9px; } th, td { padding: 3px 4px; } th { position: static; font-size: 8.5px; } td.op { white-space: normal; } .bar { width: 40px; } tr, .tiles { break-inside: avoid; }
  h2 { break-after: avoid; } .entry { display: none; } svg.plot, svg.network { max-width: 100%; height: auto; } .tiles { grid-template-columns: repeat(5, 1fr); }
  .block rect, .point circle, .key, .stripe { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
