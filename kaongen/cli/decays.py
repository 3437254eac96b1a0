"""Commands on the catalogue of decays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kaongen.cli.app import Json, announce_compilation, app, parse_settings, print_json, print_table


@app.command()
def channels(
    name: Annotated[
        str | None, typer.Argument(help="One process, or a decay such as 'K+ -> pi+ (a -> e+ e-)'.")
    ] = None,
    json: Json = False,
) -> None:
    """List the decays in the catalogue, or say all about one."""
    from kaongen.decays.catalogue import find, processes
    from kaongen.report.catalogue import channel_details, channel_rows, channel_table

    announce_compilation()
    rows = channel_rows(processes() if name is None else (find(name),))
    if json:
        print_json(rows if name is None else rows[0])
    else:
        print_table(channel_table(rows) if name is None else channel_details(rows[0]))


@app.command()
def rate(
    process: Annotated[str, typer.Argument(help="Name of the process, or a decay such as 'K+ -> pi+ (a -> e+ e-)'.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, as name=value; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Branching fraction of a process."""
    from kaongen.decays.catalogue import find
    from kaongen.decays.final_state import decay_rate
    from kaongen.report.tables import measured_text

    entry = find(process)
    values = entry.values(parse_settings(settings or []))
    result = decay_rate(entry, values)
    if json:
        print_json(
            {
                "process": entry.name,
                "decay": entry.decay,
                "parameters": values,
                "branching_fraction": result.value,
                "uncertainty": result.error,
                "source": result.source,
                "reference": entry.reference,
            }
        )
    else:
        given = ", ".join(f"{k} = {v:g}" for k, v in values.items())
        print(f"BR({entry.decay}) = {measured_text(result.value, result.error)}" + (f"   [{given}]" if given else ""))
        print(f"{result.source}\n{entry.reference}")


@app.command()
def mixture(
    table: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A decay table in DEC format; natural decays by default.")
    ] = None,
    dec: Annotated[bool, typer.Option("--dec", help="Print it in DEC format.")] = False,
    json: Json = False,
) -> None:
    """How kaons decay: all modes of nature, or of a decay table, with their fractions."""
    from kaongen.decays.mixture import dec_text, from_dec, natural
    from kaongen.report.catalogue import mixture_rows, mixture_table

    announce_compilation()
    chosen = natural() if table is None else from_dec(table)
    if json:
        print_json(mixture_rows(chosen))
    elif dec:
        sys.stdout.write(dec_text(chosen))
    else:
        print_table(mixture_table(chosen))
