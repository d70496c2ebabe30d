"""Load: what the platform takes at once, and loses nothing of.

Deliveries of the annotation server to a console that has one core, as fast as it takes them, with repeated, forged
and reordered ones among them, beside the same with a transaction for each. Then people at once, beside each kind of
work alone: 30 sessions at the console, 20 annotators who save at the same moment on the embedded annotation server,
and uploads in pieces whose connections break.

    python -m benchmarks.load [--json FILE] [--only deliveries|people] [--seconds N] [--gigabytes N]
"""

from __future__ import annotations

from benchmarks import _load_deliveries, _load_people
from benchmarks._bench import Bars, argument_parser


def main() -> None:
    """Measure, print, judge."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--only", choices=["deliveries", "people"], help="one of the measurements")
    parser.add_argument("--seconds", type=float, default=60.0, help="of deliveries, and of people at least")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="that are uploaded")
    options = parser.parse_args()
    bars = Bars("load")
    if options.only != "people":
        _load_deliveries.measure(bars, options.seconds)
    if options.only != "deliveries":
        _load_people.measure(bars, options.seconds, options.gigabytes)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
