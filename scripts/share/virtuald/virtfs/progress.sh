# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/progress.sh - the messages while a root is made.

# now: prints the centiseconds since the machine started, or since 1970 if /proc is not
# mounted.
now() {
  local uptime
  if read -r uptime _ 2>/dev/null </proc/uptime; then
    printf '%s\n' "${uptime%.*}${uptime#*.}"
  else
    date +%s00
  fi
}

# mebibytes KIBIBYTES: prints them in MiB, with one decimal.
mebibytes() {
  local tenths
  tenths=$((($1 * 10 + 512) / 1024))
  printf '%d.%d MiB\n' $((tenths / 10)) $((tenths % 10))
}

# step NAME: says what is being made. On a terminal, it sets step_open, and end_step
# completes the line with the size of this step and of the root so far.
step() {
  "$quiet" && return
  end_step
  if "$sizes"; then
    printf 'Create %-28s' "$1"
    step_open=true
  else
    printf 'Create %s\n' "$1"
  fi
}

# end_step: completes the line of an open step. It sets step_open and total.
end_step() {
  local kibibytes
  "$step_open" || return 0
  step_open=false
  kibibytes=$(du -sk -- "$root")
  kibibytes=${kibibytes%%[!0-9]*}
  printf '%12s' "$(mebibytes $((kibibytes - total)))"
  total=$kibibytes
  printf '%12s\n' "$(mebibytes "$total")"
}

say() {
  "$quiet" || printf '%s\n' "$1"
}
