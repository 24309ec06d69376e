#!/usr/bin/env bash
# par inside a Slurm allocation, and with --sbatch: on a real Slurm, whose controller and node run on this machine.
#
#   tests/par/slurm.sh     as root, on Debian; installs munge, slurmctld, slurmd and slurm-client if they are missing
#
# They run on ports and in a folder of their own, without systemd and cgroups, and end with the script.
set -uo pipefail
cd "$(dirname "$0")/../.."

cannot() { echo "SKIPPED: $1, so par was not tried with Slurm" >&2; exit "${WITHOUT_SLURM:-1}"; }
[ "$(id -u)" -eq 0 ] || cannot 'a controller and a node are started as root'
if ! command -v slurmd slurmctld munged srun >/dev/null; then
    echo 'Slurm is missing: apt-get install munge slurmctld slurmd slurm-client'
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq munge slurmctld slurmd slurm-client
    } >/dev/null 2>&1 || cannot 'Slurm cannot be had here'
fi
cargo build --quiet --locked --example par || exit 1
target=${CARGO_TARGET_DIR:-target}
par=$(cd "$target/debug/examples" && pwd)/par
work=$(mktemp -d); host=$(hostname -s)
chmod 755 "$work"; mkdir "$work/state" "$work/spool" "$work/here"
cat >"$work/slurm.conf" <<CONF
ClusterName=par
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
SlurmdParameters=config_overrides
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=20000,batch_sched_delay=1,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=5
KillWait=2
MinJobAge=2
MaxJobCount=5000
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
# `slurmd` wants the plugin to be named, and makes no use of it with linuxproc.
version=v2; [ -e /sys/fs/cgroup/cgroup.controllers ] || version=v1
printf 'CgroupPlugin=cgroup/%s\nCgroupAutomount=no\nIgnoreSystemd=yes\n' "$version" >"$work/cgroup.conf"
[ "$version" = v2 ] || sed -i /IgnoreSystemd/d "$work/cgroup.conf"
export SLURM_CONF=$work/slurm.conf
mkdir "$work/munge"; head -c 64 /dev/urandom >"$work/munge/key"; chmod 600 "$work/munge/key"

finish() {
    local pid
    scancel --user root 2>/dev/null
    for pid in "$work"/slurmd.pid "$work"/slurmctld.pid "$work"/munge/pid; do
        [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null
    done
    until_ 10 '[ ! -e "$work/slurmctld.pid" ]' || true
    rm -rf "$work"
}
until_() { local i; for i in $(seq $(($1 * 10))); do eval "$2" && return; sleep 0.1; done; return 1; }
trap finish EXIT
munged --socket="$work/munge/socket" --key-file="$work/munge/key" --pid-file="$work/munge/pid" --force \
    --log-file="$work/munge/log" --seed-file="$work/munge/seed" 2>/dev/null || cannot 'munged does not start'
slurmctld -f "$SLURM_CONF" && slurmd -c -f "$SLURM_CONF" || cannot 'Slurm does not start'
until_ 20 'sinfo -h -o %t 2>/dev/null | grep -q idle' ||
    { tail -n 5 "$work"/slurm*.log; cannot 'the node does not come up'; }
cd "$work/here" || exit 1

n_bad=0
ok() { if eval "$2"; then echo "ok: $1"; else n_bad=$((n_bad + 1)); echo "NOT SO: $1"; fi; }
# What runs on the node of the commands that are given a mark.
marked() { pgrep -f "^sleep $1\$"; }
# The daemons of steps that have our configuration in their environment.
our_stepds() { local p; for p in $(pgrep slurmstepd); do grep -qsz "^SLURM_CONF=$SLURM_CONF" "/proc/$p/environ" && echo "$p"; done; }
none_left() { until_ 15 "! marked $1 >/dev/null" && until_ 15 '[ -z "$(squeue -h)" ]'; }

# What a script starts in the background ignores Ctrl-C, and `par` would go on doing so.
heeds_int='env --default-signal=INT'

# Inside an allocation.
out=$(salloc -Q -n4 "$par" -j4 -k srun -Q -n1 --exact sh -c 'echo {}' ::: a b c)
ok 'each command is a step of the allocation' '[ "$out" = "a
b
c" ]'
timeout 60 salloc -Q -n2 "$par" -q -j2 --timeout 2 --grace 3 srun -Q -n1 --exact sleep ::: 3001 3001
ok 'a timeout leaves no step running' '[ $? -ne 124 ] && none_left 3001'
salloc -Q -n2 $heeds_int "$par" -q -j2 --grace 3 srun -Q -n1 --exact sleep ::: 3002 3002 &
until_ 20 '[ "$(marked 3002 | wc -l)" -ge 2 ]'
kill -INT "$(pgrep -f "^$par .*3002" | head -n 1)"; wait $!
ok 'Ctrl-C leaves no step running' 'none_left 3002'
salloc -Q -n2 "$par" -q -j2 srun -Q -n1 --exact sleep ::: 3003 3003 &
until_ 20 '[ "$(marked 3003 | wc -l)" -ge 2 ]'
kill -KILL "$(pgrep -f "^$par .*3003" | head -n 1)"; wait $!
ok 'with par killed the allocation ends, and no step runs on' 'none_left 3003'

# As a job array.
out=$("$par" -q --sbatch -k --joblog log sh -c 'echo "{}"; exit {#}' ::: 'a b' c); code=$?
ok 'a job array prints in order, and the exit code is how many failed' '[ "$out/$code" = "a b
c/2" ]'
ok 'the joblog has the host and the codes' "[ \"\$(cut -f1,2,7,8 log | tail -n +2 | sort)\" = \"1	$host	1	0
2	$host	2	0\" ]"
timeout 60 "$par" -q --sbatch --timeout 1 sleep ::: 3004
ok 'a timeout ends a task' '[ $? -eq 1 ] && none_left 3004'
$heeds_int "$par" -q --sbatch sleep ::: 3005 3005 &
until_ 20 'marked 3005 >/dev/null'
kill -INT $!; wait $!
ok 'Ctrl-C ends the array' '[ $? -eq 255 ] && none_left 3005'
began=$SECONDS
out=$(seq 1000 | timeout 500 "$par" -q --sbatch -k --joblog many echo); code=$?
ok "1,000 inputs come back in order ($((SECONDS - began)) s)" '[ "$code" -eq 0 ] && [ "$out" = "$(seq 1000)" ]'
ok 'and are in the joblog' '[ "$(tail -n +2 many | wc -l)" -eq 1000 ]'

# A node is lost: its slurmd and its steps die. `slow` ends at once when it is tried again.
again=$work/again
script='[ {} = fast ] || [ -e '$again' ] || exec sleep 3006; echo {}'
"$par" -q --sbatch --joblog lost sh -c "$script" ::: fast slow >first & pid=$!
until_ 30 'marked 3006 >/dev/null && grep -q fast first'
kill -KILL "$(cat "$work/slurmd.pid")"; asleep=$(marked 3006)
# The script of the task before its child: it must not see how that ends.
# shellcheck disable=SC2046
kill -KILL $(our_stepds) $(ps -o ppid= "$asleep") "$asleep"
until_ 60 '! kill -0 '$pid' 2>/dev/null'; wait $pid
ok 'a lost node is one failure, and what ended before is in the joblog' '[ $? -eq 1 ] && [ "$(tail -n +2 lost | cut -f1)" = 1 ]'
touch "$again"
slurmd -c -f "$SLURM_CONF"; until_ 30 'sinfo -h -o %t | grep -q idle'
out=$("$par" -q --sbatch --joblog lost --resume sh -c "$script" ::: fast slow)
ok 'a resume runs what the node has lost, and nothing else' '[ "$out" = slow ]'

[ "$n_bad" -eq 0 ]
