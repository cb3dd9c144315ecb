#!/bin/bash
# SPDX-License-Identifier: MIT
# A real Slurm of one node, on 127.0.0.1 alone, runs the array job; its parts, merged and sorted, are
# byte for byte what one run writes.
# slurmctld looks up this machine's name, which a new machine does not know, or as 127.0.1.1: then it has
# another one here.
if [ "$(id -u)" = 0 ] && [ -z "${SLURM_TEST_NAMED:-}" ] &&
  ! getent ahostsv4 "$(hostname -s)" | grep -q '^127\.0\.0\.1 '; then
  # shellcheck disable=SC2016 # the inner shell's
  SLURM_TEST_NAMED=1 exec unshare --uts sh -c 'hostname localhost && exec "$0"' "$0"
fi
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
for program in munged slurmctld slurmd sbatch; do
  command -v $program >/dev/null || skip_all 'needs slurm-wlm and munge'
done
[ "$(id -u)" = 0 ] || skip_all 'needs root, as slurmd does'

END=2026-11-20T00:00:00Z
chmod 755 "$T"
mkdir -m 755 "$T/munge" "$T/state" "$T/spool" "$T/out"
ok "the demonstration's fleet is there" tidemark-demo --end $END --types /usr/share/collectd/types.db \
  --types plugins/types.db "$T/demo"
mkdir "$T/rrd"
for site in "$T"/demo/*/rrd; do mv "$site"/* "$T/rrd/"; done

# A key and a socket of its own: a munge of the machine is left alone.
head -c 1024 /dev/urandom >"$T/munge/key"
chmod 400 "$T/munge/key"
munged --foreground --force --key-file="$T/munge/key" --socket="$T/munge/socket" \
  --pid-file="$T/munge/pid" --log-file="$T/munge/log" --seed-file="$T/munge/seed" \
  >"$T/munge/out" 2>&1 &
keep $!
ok 'munge answers' wait_for munge --socket="$T/munge/socket" --no-input ||
  sed 's/^/# /' "$T/munge/out" "$T/munge/log"

node=$(hostname -s)
read -r control daemon < <(python3 -c '
import socket
s = [socket.socket() for _ in range(2)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])')
cat >"$T/slurm.conf" <<EOF
ClusterName=tidemark
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$control
SlurmdPort=$daemon
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$T/munge/socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny
StateSaveLocation=$T/state
SlurmdSpoolDir=$T/spool
SlurmctldPidFile=$T/slurmctld.pid
SlurmdPidFile=$T/slurmd.pid
SlurmctldLogFile=$T/slurmctld.log
SlurmdLogFile=$T/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MailProg=/bin/true
SchedulerParameters=batch_sched_delay=1,sched_interval=1
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES State=UP
EOF
printf 'CgroupAutomount=no\nConstrainCores=no\n' >"$T/cgroup.conf"
export SLURM_CONF=$T/slurm.conf
slurmctld -D -i >"$T/slurmctld.out" 2>&1 &
keep $!
slurmd -D -N "$node" >"$T/slurmd.out" 2>&1 &
slurmd=$!
keep $slurmd
idle() { sinfo -h -o %T | grep -q '^idle'; }
idle_or_gone() { idle || ! kill -0 $slurmd; }
wait_for idle_or_gone
if ! idle && ! kill -0 $slurmd 2>/dev/null && grep -qi cgroup "$T/slurmd.out" "$T/slurmd.log"; then
  skip 'the node is ready' "needs hardware: $(grep -ihm 1 'cgroup' "$T/slurmd.out" "$T/slurmd.log")"
  done_testing
  exit
fi
ok 'the node is ready' idle || sed 's/^/# /' "$T/slurmd.out" "$T/slurmd.log" "$T/slurmctld.out" "$T/slurmctld.log"

cd "$T/out" || exit 1
export TIDEMARK_DATA=$T/rrd TIDEMARK_OUT=$T/out TIDEMARK_ANALYZE=$BUILD/tidemark-analyze
ok 'the array job is taken' sbatch --array=0-3 "$SOURCE/contrib/cluster/slurm-array.sh"
finished() { [ -z "$(squeue -h)" ]; }
ok 'and comes to its end' wait_for finished || { squeue; sed 's/^/# /' "$T/slurmd.log" | tail -n 20; }
is 'each task wrote its part' "$(echo part-*.ndjson)" 'part-0.ndjson part-1.ndjson part-2.ndjson part-3.ndjson' ||
  cat "$T"/out/slurm-*.out | sed 's/^/# /'
is 'no task complained' "$(cat "$T"/out/slurm-*.out 2>&1)" ''
tidemark-analyze run --data "$T/rrd" --format json >"$T/whole" 2>/dev/null
is 'there is something to share' "$(wc -l <"$T/whole")" 12
is 'the merged parts are what one run writes' "$(sort part-*.ndjson | sha256sum)" \
  "$(sort "$T/whole" | sha256sum)"
cd "$SOURCE" || exit 1

for pid in "${tap_kept[@]}"; do end "$pid"; done
left() {
  for file in /proc/[0-9]*/cmdline; do
    case $(tr '\0' ' ' 2>/dev/null <"$file") in
      slurm* | munged*) tr '\0' ' ' <"$file" | grep -F -- "$T" ;;
    esac
  done
  for pid in "${tap_kept[@]}"; do [ ! -d "/proc/$pid" ] || echo "$pid"; done
}
is 'nothing is left running' "$(left)" ''
done_testing
