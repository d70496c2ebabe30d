"""Tables to and from parquet: `batches/<batch>/<asset>/<table>.parquet` under the storage root."""

from typing import Any

import polars as pl
from dagster import ConfigurableIOManager, InputContext, OutputContext, ResourceDependency

from ava_assets.metadata import MADE_OF, markdown, place
from ava_assets.resources import Platform
from ava_core.store import made_of, makings

BASIS = "basis"


class ParquetTables(ConfigurableIOManager):
    """Stores a `pl.DataFrame`, or several as `dict[str, pl.DataFrame]`, of one batch.

    An input annotated `dict[str, pl.DataFrame]` gets all tables of the asset, any other the one table that is
    named after the asset. Writes are atomic, table by table; when and of what they were made is noted in the
    database once they are there. The table `basis` says what all tables beside it were made from: it is gone while
    they are written.
    """

    platform: ResourceDependency[Platform]

    def handle_output(
        self, context: OutputContext, obj: pl.DataFrame | dict[str, pl.DataFrame] | None
    ) -> None:
        if obj is None:
            return
        asset, batch = context.asset_key.path[-1], context.partition_key
        storage = self.platform.storage
        tables = obj if isinstance(obj, dict) else {asset: obj}
        paths = {name: storage.table_path(batch, asset, name) for name in tables}
        is_new = not any(path.exists() for path in paths.values())
        if BASIS in paths:
            paths[BASIS].unlink(missing_ok=True)
        for name in sorted(tables, key=lambda name: name == BASIS):
            storage.write_table(paths[name], tables[name])
        if is_new:  # else it was made before, maybe when that was not noted yet
            makings.note(self.platform.store, batch, asset)
        state = context.output_metadata.get(MADE_OF, "")
        made_of.note(self.platform.store, batch, asset, str(getattr(state, "value", state)))
        context.add_output_metadata(
            {"folder": place(storage, storage.asset_dir(batch, asset)), **_counts(tables)}
        )

    def load_input(self, context: InputContext) -> pl.DataFrame | dict[str, pl.DataFrame]:
        asset, batch = context.asset_key.path[-1], context.partition_key
        storage = self.platform.storage
        if getattr(context.dagster_type.typing_type, "__origin__", context.dagster_type.typing_type) is dict:
            folder = storage.asset_dir(batch, asset)
            return {path.stem: storage.read_table(path) for path in sorted(folder.glob("*.parquet"))}
        return storage.read_table(storage.table_path(batch, asset))


def _counts(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """How many rows there are: of one table in Dagster's own words, of several as a table."""
    if len(tables) == 1:
        return {"dagster/row_count": next(iter(tables.values())).height}
    rows = {"table": list(tables), "rows": [table.height for table in tables.values()]}
    return {"tables": markdown(pl.DataFrame(rows))}
