"""What the console asks of Dagster, in GraphQL; held to the pinned version's schema by a contract test."""

from __future__ import annotations

VERSION = "query Version { version }"

DAEMONS = """
query Daemons { instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }
"""

WORKSPACE = """
query Workspace { workspaceOrError { __typename ... on Workspace { locationEntries { name
  locationOrLoadError { __typename
    ... on RepositoryLocation { name repositories { name } }
    ... on PythonError { message } } } } } }
"""

RUNS = """
query Runs($filter: RunsFilter, $limit: Int) { runsOrError(filter: $filter, limit: $limit) { __typename
  ... on Runs { results { runId status jobName creationTime startTime endTime
    tags { key value } assetSelection { path } } }
  ... on PythonError { message } } }
"""

FAILURE = """
query Failure($runId: ID!, $cursor: String) { logsForRun(runId: $runId, afterCursor: $cursor, limit: 1000) {
  __typename ... on EventConnection { cursor hasMore events { __typename
    ... on MessageEvent { message stepKey }
    ... on ErrorEvent { error { message cause { message } } } } } } }
"""

LOGS = """
query Logs($runId: ID!, $cursor: String) { logsForRun(runId: $runId, afterCursor: $cursor, limit: 1000) {
  __typename ... on EventConnection { cursor hasMore events { __typename
    ... on MessageEvent { timestamp level message stepKey } } }
  ... on PythonError { message } ... on RunNotFoundError { message } } }
"""

ADD_PARTITION = """
mutation Add($key: String!, $repository: RepositorySelector!) {
  addDynamicPartition(partitionKey: $key, partitionsDefName: "video_batch", repositorySelector: $repository) {
    __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""

DELETE_PARTITION = """
mutation Delete($key: String!, $repository: RepositorySelector!) {
  deleteDynamicPartitions(partitionKeys: [$key], partitionsDefName: "video_batch", repositorySelector: $repository) {
    __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""

BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId }
  ... on PythonError { message } ... on PartitionKeysNotFoundError { message }
  ... on UnauthorizedError { message } } }
"""

LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } }
  ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } }
  ... on PipelineNotFoundError { message } ... on InvalidSubsetError { message } } }
"""

RETRY = """
mutation Retry($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""

BACKFILLS = """
query Backfills($limit: Int) { partitionBackfillsOrError(limit: $limit) { __typename
  ... on PartitionBackfills { results { id status title timestamp endTimestamp numPartitions
    assetSelection { path } error { message }
    assetBackfillData { assetBackfillStatuses { __typename
      ... on AssetPartitionsStatusCounts { numPartitionsTargeted numPartitionsMaterialized numPartitionsFailed }
    } } } }
  ... on PythonError { message } } }
"""

CANCEL_BACKFILL = """
mutation Cancel($backfillId: String!) { cancelPartitionBackfill(backfillId: $backfillId) { __typename
  ... on PythonError { message } ... on UnauthorizedError { message } } }
"""

END = """
mutation End($runId: String!) { terminateRun(runId: $runId) { __typename
  ... on PythonError { message } ... on TerminateRunFailure { message }
  ... on RunNotFoundError { message } } }
"""
