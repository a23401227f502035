# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/fresh.sh - a fresh root with the same programs as a domain, to compare them.

# make_fresh: makes a root with the domain's programs in the hidden directory, unless this
# run has already made the same for another domain. Sets making to the directory that has it
# and its plan, as root and plan.
make_fresh() {
  local wanted="$hard_links" kind rest="$asked"
  while [ -n "$rest" ]; do
    wanted="$wanted|${rest%%"$newline"*}"
    rest=${rest#*"$newline"}
  done
  for making in "$work"/making.*; do
    [ -f "$making/plan" ] || continue
    IFS= read -r kind <"$making/kind"
    [ "$kind" != "$wanted" ] || return 0
  done
  making=$(mktemp -d -- "$work/making.XXXXXX") && mkdir -- "$making/root" &&
    printf '%s\n' "$wanted" >"$making/kind" || failed "$work"
  strictly build_fresh || {
    warn "$place: could not make a root to compare it with"
    return 1
  }
}

# strictly COMMAND...: runs the command with set -e, which the shell ignores in a function
# that is called in a condition. The steps rely on it: after a cd that failed, the next
# step would work in another directory.
strictly() {
  local status=0
  (
    set -e
    "$@"
  ) &
  # Ctrl-C does not reach what runs in the background.
  trap 'kill "$!"; exit 1' INT
  wait "$!" || status=$?
  trap - INT
  return "$status"
}

# build_fresh: does the building for make_fresh. The domain's name and numbers are not in the
# plan, so one root serves for several domains.
build_fresh() {
  local root="${making:?}/root" quiet=true numbers="${numbers:-1000:1000}" pairs=''
  [ -z "$asked" ] || collect_programs
  choose_copy
  build
  prove
  write_plan "$root" "$making/plan.new"
  mv -- "$making/plan.new" "$making/plan"
}
