#!/usr/bin/env bash
# par beside GNU parallel and xargs: the same output and the same exit code on 40 command lines, and the time.
#
#   tests/par/beside.sh            from anywhere; builds `par`, and installs `parallel` with apt-get if it is missing
#   tests/par/beside.sh --speed    the time of 2,000 commands with each, five times in turns
#
# A line is run by both with the words that it has. `parallel` gives its command to a shell, so `par` is called with
# `--shell`, but for the lines that begin with `q`: for those `parallel` is called with `-q`, and no shell looks at the
# words of either. The differences that are meant are in docs/examples/par/README.md.
set -uo pipefail
cd "$(dirname "$0")/../.."

if ! command -v parallel >/dev/null; then
    echo 'GNU parallel is missing: apt-get install parallel'
    as_root=; [ "$(id -u)" -eq 0 ] || as_root=sudo
    if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq parallel; } >/dev/null 2>&1; then
        echo 'SKIPPED: GNU parallel cannot be had here, so par was compared with nothing' >&2
        exit "${WITHOUT_PARALLEL:-1}"
    fi
fi
cargo build --quiet --locked --release --example par || exit 1
target=${CARGO_TARGET_DIR:-target}
par=$(cd "$target/release/examples" && pwd)/par
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work TMPDIR=$work
mkdir -p "$work/.parallel" && touch "$work/.parallel/will-cite"
cd "$work" || exit 1
printf '1\n2\n' >one; printf 'x\ny\n' >two; printf 'a\0b c\0' >nul

if [ "${1:-}" = --speed ]; then
    seconds() { local began=$EPOCHREALTIME; "$@" >/dev/null; echo "$EPOCHREALTIME $began" | awk '{ printf "%.2f", $1 - $2 }'; }
    with_par() { seq 2000 | "$par" -q -j2 "$@"; }
    with_parallel() { seq 2000 | parallel -q -j2 "$@"; }
    with_xargs() { seq 2000 | xargs -P2 -n1 "$@"; }
    echo 'seconds for 2,000 times `echo`, two at once: par, par -u, xargs, parallel'
    for _ in 1 2 3 4 5; do
        echo "$(seconds with_par echo) $(seconds with_par -u echo) $(seconds with_xargs echo) $(seconds with_parallel echo)"
    done
    exit
fi

n=0 n_differ=0
compare() { # what is it; the program; its options; the options and words of both
    local other=$1; shift
    n=$((n + 1))
    local ours theirs
    # shellcheck disable=SC2094
    ours=$(eval "$1" 2>/dev/null; echo "exit $?")
    theirs=$(eval "$2" 2>/dev/null; echo "exit $?")
    if [ "$ours" != "$theirs" ]; then
        n_differ=$((n_differ + 1))
        printf 'DIFFERENT: %s\n--- par\n%s\n--- %s\n%s\n' "$1" "$ours" "$other" "$theirs"
    fi
}
shell() { compare parallel "${1/@/$par --shell}" "${1/@/parallel}"; }
words() { compare parallel "${1/@/$par}" "${1/@/parallel -q}"; }
xargs_() { compare xargs "$1" "$2"; }

# A shell looks at the command.
shell '@ -k echo ::: a b c </dev/null'
shell '@ -k "echo {} | tr a-z A-Z" ::: abc "d e" </dev/null'
shell "@ -k echo ::: 'it'\\''s' '\$HOME' '*' ';' '&' '' 'a  b' </dev/null"
shell '@ -k echo ::: a b ::: 1 2 </dev/null'
shell '@ -k echo {2}-{1} ::: a b ::: 1 2 </dev/null'
shell '@ -k echo :::: one two </dev/null'
shell '@ -k echo ::: a :::: one </dev/null'
shell '@ -k -a one echo </dev/null'
shell '@ -k -a one -a two echo </dev/null'
shell 'cat one | @ -k echo'
shell 'cat nul | @ -0 -k echo'
shell '@ -k -0 -a nul echo </dev/null'
shell "printf 'a\\n\\nb' | @ -k 'echo x{}x'"
shell 'echo "echo one; echo two" | @ -k'
shell '@ -k ::: "echo a" "exit 3" "echo b" </dev/null'
shell '@ -j1 echo {#} {%} ::: a b </dev/null'
shell '@ -k echo {.} {/} {//} {/.} ::: a/b.c.d x /r/s.t/u a/.b </dev/null'
shell '@ -k --tag echo ::: a b ::: c </dev/null'
shell '@ -k --tag "echo a; printf b" ::: x </dev/null'
shell '@ --dry-run -k echo {} ::: a b.c </dev/null'
shell '@ -k "exit {}" ::: 0 1 2 3 </dev/null'
shell 'seq 150 | @ false'
shell '@ -j1 --halt now,fail=1 "echo {}; exit {}" ::: 0 3 0 4 </dev/null'
shell '@ -j1 --halt soon,fail=1 "echo {}; exit {}" ::: 0 3 0 4 </dev/null'
shell '@ -j1 --halt soon,fail=2 "echo {}; exit {}" ::: 0 3 0 4 5 </dev/null'
shell '@ -j1 --halt now,success=1 "echo {}; exit {}" ::: 3 0 4 </dev/null'
shell '@ -j1 --halt now,done=2 "echo {}; exit {}" ::: 3 0 4 </dev/null'
shell '@ -j1 --halt soon,fail=30% "echo {}; exit {}" ::: 0 3 0 4 5 0 </dev/null'
shell '@ -j0 -k "sleep 0.1; echo {}" ::: 3 2 1 </dev/null'
shell '@ -j50% -k echo ::: a b </dev/null'
shell '@ --timeout 1 sleep ::: 0 9 </dev/null'
shell 'rm -f log; @ -k --joblog log "exit {}" ::: 0 3 </dev/null; cut -f1,2,5- log | sort -n'
shell 'rm -f log; @ --joblog log -j1 --halt now,fail=1 "exit {}" ::: 0 3 0; @ -k --joblog log --resume echo ::: 0 3 0 </dev/null'
shell 'rm -f log; @ -k --joblog log "exit {}" ::: 0 3 0; @ -k --joblog log --resume-failed echo ::: 0 3 0 </dev/null'
shell '@ --retries 3 -j1 "echo x >>tried; test \$(wc -l <tried) = 3 && rm tried" ::: a </dev/null'
# No shell does.
words '@ -k printf "<%s>" ::: a "b  c" "*" </dev/null'
words '@ -k sh -c "head -c 3000000 /dev/zero; echo {}" ::: a b </dev/null | cksum'
words "@ -k echo \$'\\xff{}' ::: \$'\\xfe' </dev/null | od -c"
xargs_ "seq 5 | $par -k -j3 echo x" 'seq 5 | xargs -P1 -n1 echo x'
xargs_ "cat nul | $par -0 -j1 -k printf '<%s>'" "cat nul | xargs -0 -P1 -n1 printf '<%s>'"

echo "$((n - n_differ)) of $n command lines: the same output and the same exit code"
[ "$n_differ" -eq 0 ]
