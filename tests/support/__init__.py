"""What tests share.

Platforms
    `home`: settings, files and database, and how work is planted in them · `annotation_site`: a home beside a running
    annotation server · `dagster_site`: a home under its graph · `world`: a home of batches that can be released ·
    `street`: the home that the console's pages show · `site`: the console in the test's process, and its visitors.
Work
    `planted_work`: annotators who err in known ways, with the truth · `written_work`: small tables of which a test
    knows every row · `videos`: files in which every frame says its number.
Servers and programs
    `annotation_server`: the embedded one, `server_place`: without a port · `faults`: a proxy that breaks ·
    `webhook_receiver` ·
    `processes`: programs as people start them · `browser`: somebody at a real browser ·
    `dagster_answers`: Dagster without Dagster · `postgres`, `object_store`, `ray_cluster`: what a team runs elsewhere.
The real annotation server
    `recordings`: what it answered · `replay`: the same asked again · `json_differences`, `openapi`: answers compared.
Running
    `waiting` · `shared`: made once for all workers · `examples`: how many Hypothesis tries · `skipped`: what was not
    proved · `counting_detector`.
"""
