"""The style sheet of the report, light and dark."""

from __future__ import annotations

from engine.render.palette import LANES, LANES_ON_LIGHT, code_of

# Four lanes in the colours that they have on screen; then their six pairs, each different from the others for every
# kind of colour blindness and far from the lanes. Dashes distinguish them without any colour.
FIRST_PAIR = len(LANES)
_LIGHT = [*map(code_of, LANES_ON_LIGHT), "#0f5733", "#e05281", "#0f0f57", "#9d53ac", "#ff0000", "#3377ff"]
_DARK = [*map(code_of, LANES), "#bbff33", "#ff99dd", "#17825e", "#ff00ff", "#827017", "#00ff80"]
_DASHES = ("none", "8 3", "2 3", "10 3 2 3", "none", "8 3", "2 3", "10 3 2 3", "5 5", "1 2")


def _variables(colours: list[str]) -> str:
    return "".join(f"--lane{index}:{colour};" for index, colour in enumerate(colours))


def _lane(index: int, dashes: str) -> str:
    return (
        f".line{index}{{stroke:var(--lane{index});stroke-dasharray:{dashes}}}"
        f".mark{index}{{background:var(--lane{index})}}"
    )


_LANES = "".join(_lane(index, dashes) for index, dashes in enumerate(_DASHES))

STYLE = f"""
:root {{ --back:#ffffff; --card:#f6f7f9; --text:#1b1f24; --quiet:#59626d; --rule:#dde1e6; --alert:#fff0e0;
{_variables(_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ --back:#0f1216; --card:#181c22; --text:#e8eaed; --quiet:#a3acb8;
--rule:#2c323a; --alert:#3a2712; {_variables(_DARK)} }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, "Segoe UI", sans-serif }}
main {{ max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px }}
h1 {{ font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere }}
h2 {{ font-size: 18px; margin: 36px 0 10px }}
h3 {{ font-size: 15px; margin: 18px 0 8px; overflow-wrap: anywhere }}
h3 .quiet {{ font-weight: normal }}
p {{ margin: 8px 0 }}
.quiet, small, figcaption, dt {{ color: var(--quiet) }}
small {{ display: block; font-size: 12.5px; font-weight: normal }}
.alert {{ background: var(--alert); border-radius: 6px; padding: 10px 14px }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: 6px 22px 6px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top }}
thead th {{ white-space: nowrap }}
tbody th {{ font-weight: 600; min-width: 200px }}
td {{ white-space: nowrap }}
code {{ font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: normal }}
.mark {{ display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin-right: 7px }}
.charts {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 18px }}
figure {{ margin: 0 }}
.charts figure {{ background: var(--card); border-radius: 8px; padding: 12px 14px }}
.charts figcaption {{ color: var(--text); font-weight: 600; margin-bottom: 6px }}
.charts svg {{ display: block; width: 100%; height: auto }}
svg text {{ fill: var(--quiet); font: 11px system-ui, sans-serif }}
.grid {{ stroke: var(--rule); stroke-width: 1 }}
.line {{ fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round }}
.legend {{ font-size: 13px; color: var(--quiet) }}
.legend span {{ display: inline-block; margin-right: 16px }}
.charts .sample {{ display: inline-block; width: 28px; height: 8px; margin-right: 6px }}
.tiles {{ display: flex; flex-wrap: wrap; gap: 10px }}
.tiles figure {{ width: 268px }}
.tiles img {{ display: block; width: 100%; border-radius: 6px }}
.tiles figcaption {{ font-size: 13px; margin-top: 4px }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 }}
dd {{ margin: 0; overflow-wrap: anywhere }}
{_LANES}
"""
