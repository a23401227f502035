# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/fresh.sh - the root of a domain made once more, to compare the domain with it.

# make_fresh: makes a root of the domain's programs in the hidden directory, unless
# this run has made one like it. Sets making to the directory that has it, as
# root, and its plan.
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
    warn "$place: no root to compare it with could be made"
    return 1
  }
}

# strictly COMMAND...: runs it so that it ends where a step fails, also where that is not
# so for the caller (set -e, which a condition switches off for all that it calls). Its
# steps rely on it: after a cd that failed the next would work elsewhere.
strictly() {
  (
    set -e
    "$@"
  ) &
  wait "$!"
}

# build_fresh: the building of make_fresh. What a domain says of itself is not of
# the plan, so it may be any domain's.
build_fresh() {
  local root="${making:?}/root" quiet=true numbers="${numbers:-1000:1000}" pairs=''
  [ -z "$asked" ] || collect_programs
  choose_copy
  build
  prove
  write_plan "$root" "$making/plan.new"
  mv -- "$making/plan.new" "$making/plan"
}
