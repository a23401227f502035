# shellcheck shell=sh
# init.sh - messages, settings, and running programs in domains; for syslog.init
# and sendmail.init, which source common.sh first.

# tell MESSAGE: prints "program: MESSAGE" on standard output.
tell() {
  printf '%s: %s\n' "$program" "$1"
}

# read_options ARGUMENT...: prints the usage for -h, the only option.
read_options() {
  local option
  while getopts h option; do
    case $option in
    h)
      usage
      exit 0
      ;;
    *) bad_usage ;;
    esac
  done
}

is_yes_or_no() {
  case $2 in
  yes | no) ;;
  *) die "$1: neither yes nor no: $2" ;;
  esac
}

# find_domains: sets domains to the names of all domains, one per line, VIRTUAL
# to its real path, PATH to the caller's followed by root's, and ISOLATE, and
# what find_virtuald sets.
find_domains() {
  PATH=${PATH:+$PATH:}$root_path
  ISOLATE=${ISOLATE:-yes}
  is_yes_or_no ISOLATE "$ISOLATE"
  find_virtuald
  [ -n "$virtuald" ] || die 'virtuald: not found'
  [ -d "$VIRTUAL" ] || die "$VIRTUAL: no such leading directory"
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  domains=$(list_domains)
  [ "$ISOLATE" = yes ] || warn 'not isolated (ISOLATE=no): user 0 of a domain can leave it'
}

# enter OPTIONS ROOT COMMAND...: executes the command in ROOT, with virtuald -x
# and these options; with ISOLATE=yes isolated, unless ROOT is the host's. Call
# it in a subshell.
enter() {
  local options="-x $1"
  shift
  if [ "$1" != / ] && [ "$ISOLATE" = yes ]; then
    options="$options -i"
  fi
  # Options are words.
  # shellcheck disable=SC2086
  exec "$virtuald" $options -- "$@"
}

# ask INPUT SECONDS USER ROOT COMMAND...: runs the command in ROOT, as user 0 or as USER ("uid:gid"), with INPUT on
# standard input. When the time is up, it is killed with everything that it started; with ISOLATE=no, its process group
# only gets SIGHUP.
ask() {
  local input="$1" seconds="$2" user="${3:+-u $3}"
  shift 3
  # Options are words.
  # shellcheck disable=SC2086
  printf '%s' "$input" |
    if [ "$ISOLATE" = yes ]; then
      (enter "-l $seconds $user" "$@")
    else
      timeout -s KILL "$seconds" "$virtuald" -x $user -- "$@"
    fi
}

# said ROOT COMMAND...: runs the command in ROOT for five seconds at most and
# prints its output on one line, which should say why a daemon did not start.
said() {
  one_line "$(ask '' 5 '' "$@" 2>&1 | head -c 16384 | head -n 3)"
}

# each FUNCTION: calls it for every domain, sixteen at a time, so that sixteen
# slow domains take no longer than one, and prints the output in the order of the
# domains. Sets statuses to the statuses that it returned, separated by spaces.
each() {
  local domain said number=0 jobs='' file
  mkdir -p /run/virtuald
  said=$(mktemp -d /run/virtuald/each.XXXXXX)
  while IFS= read -r domain; do
    [ -n "$domain" ] || continue
    number=$((number + 1))
    file=$said/$number
    {
      "$1" "$domain" >"$file.out" 2>"$file.err" && echo 0 >"$file" || echo "$?" >"$file"
    } &
    jobs="$jobs $!"
    if [ $((number % 16)) -eq 0 ]; then
      # Pids are words.
      # shellcheck disable=SC2086
      wait $jobs
      jobs=''
    fi
  done <<END
$domains
END
  # shellcheck disable=SC2086
  [ -z "$jobs" ] || wait $jobs
  say_and_forget "$said" "$number"
}

# say_and_forget DIRECTORY COUNT: a step of each: prints the output in DIRECTORY, sets statuses, and removes DIRECTORY.
say_and_forget() {
  local number=0
  statuses=''
  while [ "$number" -lt "$2" ]; do
    number=$((number + 1))
    cat -- "$1/$number.out"
    cat -- "$1/$number.err" >&2
    statuses="$statuses $(cat -- "$1/$number")"
  done
  rm -rf -- "$1"
}

# all_well: true if every call of each returned 0.
all_well() {
  case $statuses in
  *[!\ 0]*) return 1 ;;
  esac
}
