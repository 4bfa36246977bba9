#!/usr/bin/env bash
# run.sh LAKE DAY SHARDS: a day's tables by an AWS Batch array job. QUEUE names the job queue.
set -euo pipefail
lake=$1 day=$2 shards=$3
boon etl plan --lake "$lake" --day "$day" --shards "$shards" | tee /dev/stderr | grep -q 'nothing to do' && exit 0
array=()
if [ "$shards" -gt 1 ]; then array=(--array-properties "size=$shards"); fi # an array has two jobs or more
job=$(aws batch submit-job --job-name "boon-etl-$day" --job-queue "${QUEUE:-boon}" --job-definition boon-etl-shard \
	"${array[@]}" --parameters "lake=$lake,day=$day,shards=$shards" --query jobId --output text)
while :; do
	status=$(aws batch describe-jobs --jobs "$job" --query 'jobs[0].status' --output text)
	case $status in
	SUCCEEDED) break ;;
	FAILED) echo "job $job failed; its shards can be run again: boon etl commit says which" >&2; break ;;
	esac
	sleep 30
done
boon etl commit --lake "$lake" --day "$day"
