"""Load."""

from benchmarks import _load_deliveries
from benchmarks._bench import Bars, argument_parser


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of deliveries")
    options = parser.parse_args()
    bars = Bars("load")
    _load_deliveries.measure(bars, options.seconds)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
