#!/usr/bin/env bash
# Brings up CVAT beside the platform: server, administrator, organisation, project, webhook. Run it as often as
# you like. Needs docker with compose, git, and `ava` on the PATH (or AVA=path).
#
#   CVAT_ADMIN_PASSWORD=… AVA_WEBHOOK_SECRET=… docker/cvat-up.sh
#
# CVAT_FOLDER   where CVAT's sources lie, for its compose file        (default ./cvat)
# CVAT_VERSION  release of CVAT                                        (default v2.73.0, whose ways are recorded)
# CVAT_HOST     name under which people and the platform reach CVAT    (default localhost)
# WEBHOOK_URL   where CVAT reaches the console     (default http://host.docker.internal:8501/webhook)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${CVAT_FOLDER:-$PWD/cvat}
export CVAT_VERSION=${CVAT_VERSION:-v2.73.0} CVAT_HOST=${CVAT_HOST:-localhost}
admin=${CVAT_ADMIN:-admin}
: "${CVAT_ADMIN_PASSWORD:?set the administrator\'s password}"
: "${AVA_WEBHOOK_SECRET:?set a long random word; the console needs the same}"

if [ ! -f "$folder/docker-compose.yml" ]; then
    git clone --depth 1 --branch "$CVAT_VERSION" https://github.com/cvat-ai/cvat "$folder"
fi
docker compose -f "$folder/docker-compose.yml" -f "$here/compose.cvat.yaml" up -d

url=http://$CVAT_HOST:8080
echo "Waiting for $url …"
for _ in $(seq 120); do
    if curl -fsS -o /dev/null "$url/api/server/about"; then break; fi
    sleep 3
done
curl -fsS -o /dev/null "$url/api/server/about"

# The password goes by the environment, never by the command line, which every user of the machine can read.
export DJANGO_SUPERUSER_PASSWORD=$CVAT_ADMIN_PASSWORD
docker exec -e DJANGO_SUPERUSER_PASSWORD cvat_server \
    python3 manage.py createsuperuser --noinput --username "$admin" --email "$admin@localhost.localdomain" \
    || echo "(the administrator is there already)"

export AVA_CVAT_URL=$url AVA_CVAT_USERNAME=$admin AVA_CVAT_PASSWORD=$CVAT_ADMIN_PASSWORD
"${AVA:-ava}" cvat setup --webhook-url "${WEBHOOK_URL:-http://host.docker.internal:8501/webhook}"
