# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/status.sh - virtfs -s: shows the state of domains.
#
# Nothing is written outside of the hidden directory, and no file of a domain is opened:
# find and stat look at them and follow no link.

# status_of DOMAIN: prints the line of the domain, and lists its problems. False if there
# are any. It sets the variables of read_record.
status_of() {
  local fine=true programs=- size processes
  if read_record "$1"; then
    programs=all
    [ -z "$asked" ] || programs=$(printf '%s' "$asked" | tr '\n' ' ' | sed 's/ $//')
  fi
  size=$(du -skx -- "$place" 2>/dev/null)
  # Pids are words.
  # shellcheck disable=SC2046
  processes=$(set -- $(processes_in "$place") && echo "$#")
  say_line "$1" "${size%%[!0-9]*}" "$processes" "$made" "$updated" "$(served_by)" "$programs" || fine=false
  (need_settled "$1") || fine=false
  find_mounts || fine=false
  find_strangers || fine=false
  find_dead_log || fine=false
  if [ "$programs" = - ] || [ ! -f "$plan" ]; then
    complain 'no record of its contents: virtfs -u -p PROGRAM ... makes one'
    fine=false
  else
    find_tampered || fine=false
    find_old || fine=false
  fi
  "$fine"
}

# served_by: prints ADDRESS@CONFIG for each line that serves the domain, separated by commas;
# or - if there are none.
served_by() {
  local config names found
  names=$(names_of_domain)
  found=$(configs_of_domain | while IFS= read -r config; do
    lines_of_domain "$config" | awk -v config="$config" '{ print $1 "@" config }'
  done | tr '\n' ,)
  printf '%s\n' "${found:--}" | sed 's/,$//'
}

# say_line NAME KIBIBYTES PROCESSES MADE UPDATED SERVED PROGRAMS: prints them in columns, or
# separated by tabs with -q.
say_line() {
  if "$quiet"; then
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"
  else
    # shellcheck disable=SC2059 # a format
    printf "$columns" "$1" "$(mebibytes "$2")" "$3" "$4" "$5" "$6" "$7"
  fi
}

# The format of the columns, for printf(1).
columns='%-24s %10s %9s  %-16s  %-16s  %s  %s\n'

# show_status: does -s for the domains in wanted, one per line, or for all. It sets VIRTUAL to
# its real path, given, wanted and more.
show_status() {
  local name fine=true
  more=''
  need_root
  [ -d "$VIRTUAL" ] || die "$VIRTUAL: no such leading directory"
  [ -n "$wanted" ] || wanted=$(list_domains)
  given=${VIRTUAL%/}
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  find_outsider
  open_work
  find_owners
  # shellcheck disable=SC2059 # a format
  "$quiet" || printf "$columns" domain size processes made updated 'served by' programs
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    (status_of "$name") || fine=false
  done <<END
$wanted
END
  find_missing_roots || fine=false
  "$fine"
}
