#!/bin/bash
# SPDX-License-Identifier: MIT
# A Slurm array job: each task analyses the devices of its share, which a stable hash of their names
# decides, and writes one file. The merged files, sorted, are byte for byte what one run writes.
#
#   TIDEMARK_DATA=/srv/rrd TIDEMARK_OUT=/srv/out sbatch --array=0-3 contrib/cluster/slurm-array.sh
#   sort /srv/out/part-*.ndjson > /srv/out/summaries.ndjson      # when all tasks are done
#
#SBATCH --job-name=tidemark
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
set -eu
: "${TIDEMARK_OUT:?the folder for the parts}"
task=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN))
count=$SLURM_ARRAY_TASK_COUNT

if [ -n "${TIDEMARK_SOURCE:-}" ]; then # prometheus:http://...
  from=(--source "$TIDEMARK_SOURCE")
else
  from=(--data "${TIDEMARK_DATA:?the folder of RRDs, or TIDEMARK_SOURCE}")
fi
exec "${TIDEMARK_ANALYZE:-tidemark-analyze}" run "${from[@]}" \
  ${TIDEMARK_CONFIG:+--config "$TIDEMARK_CONFIG"} --shard "$task/$count" --jobs 1 \
  --format json --output "$TIDEMARK_OUT/part-$task.ndjson"
