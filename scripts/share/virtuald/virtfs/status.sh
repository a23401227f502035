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

# complain MESSAGE: warns of a problem of the domain.
complain() {
  warn "$place: $1"
}

# complain_of FILE MESSAGE: warns of each path that the file lists, but lists no more than
# ten. False if there are any.
complain_of() {
  local path count=0
  while IFS= read -r path; do
    count=$((count + 1))
    # The domain's file names may hold escape sequences for terminals.
    [ "$count" -gt 10 ] || warn "$place/$(one_line "$path"): $2"
  done <"$1"
  [ "$count" -le 10 ] || complain "$((count - 10)) more: $2"
  [ "$count" -eq 0 ]
}

# find_mounts: lists the mounts below the domain.
find_mounts() {
  mounts_below | sed "s,^$(printf '%s' "$place" | sed 's/[].[*^$\\]/\\&/g')/*,," >"$work/found"
  complain_of "$work/found" 'mounted there'
}

# find_strangers: lists set-ID programs and devices that are not in the plan, and system
# directories that users other than root may write to.
find_strangers() {
  local fine=true
  [ -f "$plan" ] && awk "$path_of { print path_of() }" "$plan" | sort >"$work/known" || : >"$work/known"
  (
    cd -P -- "$place"
    "$find" . -xdev \( -type f \( -perm -4000 -o -perm -2000 \) -o -type b -o -type c ! -path ./dev/null ! -path ./dev/zero \
      ! -path ./dev/full ! -path ./dev/random ! -path ./dev/urandom ! -path ./dev/tty \) 2>/dev/null
    # One of these names may be that of another device.
    hold dev && stat -c '%F %t:%T dev/%n' null zero full random urandom tty 2>/dev/null | sed -nE '
      / (1:3 dev.null|1:5 dev.zero|1:7 dev.full|1:8 dev.random|1:9 dev.urandom|5:0 dev.tty)$/!s/^char[^:]* [^ ]* //p'
  ) | sed 's,^\./,,' | sort | comm -23 - "$work/known" >"$work/found"
  complain_of "$work/found" 'set-user-ID, set-group-ID or a device, and not installed by virtfs' || fine=false
  (
    cd -P -- "$place"
    # The names of directories, of which the host may lack some.
    # shellcheck disable=SC2086
    "$find" . $system_directories etc dev -xdev -maxdepth 1 -type d \
      \( ! -user root -o -perm -0020 -o -perm -0002 \) 2>/dev/null
  ) | sed 's,^\./,,' | grep -E "^(\.|$(printf '%s' "$system_directories" | tr ' ' '|')|usr/bin|usr/sbin|usr/lib|etc|dev)$" | sort -u >"$work/found" || :
  complain_of "$work/found" 'writable by users other than root' || fine=false
  "$fine"
}

# find_dead_log: reports a log socket that the logger no longer listens on, because it was
# restarted.
find_dead_log() {
  if [ -S "${VIRTUAL%/}/log" ] && (check_dev "$place") 2>/dev/null && [ -e "$place/dev/log" ] && ! is_linked "$place"; then
    complain 'dev/log is not the socket of the logger: syslog.init reload'
    return 1
  fi
}

# find_tampered: lists the files that -u replaces and that differ from what virtfs
# installed.
find_tampered() {
  list_root "$place" "$most_levels" | compare "$plan" /dev/null || return
  complain_of "$work/changed" 'changed since virtfs installed it'
}

# find_old: lists the files that differ from the host's current ones.
find_old() {
  make_fresh || return
  compare "$making/plan" "$plan" <"$plan" || return
  cut -d ' ' -f 3- -- "$work/etc" >>"$work/changed"
  complain_of "$work/changed" "differs from the host's: run virtfs -u"
}

# find_missing_roots: lists the lines of configurations in the leading directory that name a
# missing directory.
find_missing_roots() {
  local config number line fine=true
  for config in "${VIRTUAL%/}"/conf*; do
    [ -f "$config" ] || continue
    awk '{ sub(/\r$/, "") } $1 !~ /^#/ && NF >= 2 { print NR, $2 }' "$config" >"$work/found"
    while read -r number line; do
      [ -d "$line" ] || { warn "$config:$number: $line: no such directory" && fine=false; }
    done <"$work/found"
  done
  "$fine"
}

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
