# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/request.sh - the command line, and the checks before anything is made.

# bad_request MESSAGE: warns, shows the usage, and exits with 2.
bad_request() {
  warn "$1"
  bad_usage
}

# read_options ARGUMENT...: sets verb (make, update, status, rename or remove),
# hard_links, dry_run, quiet, asked (programs, one a line), pairs (an address and a config
# on each line), domain, old (the name that -m replaces with domain), wanted (the domains
# of -u and -s, one a line) and VIRTUAL.
read_options() {
  local option address=''
  hard_links=false dry_run=false quiet=false verb=make
  asked='' pairs='' wanted='' domain='' old=''
  while getopts a:d:f:hlmnp:qrsu option; do
    case $option in
    a)
      [ -z "$address" ] || bad_request "-a $address: no -f for it"
      [ -n "$OPTARG" ] || bad_request '-a: an empty address'
      address=$OPTARG
      ;;
    d) VIRTUAL=$OPTARG ;;
    f)
      [ -n "$address" ] || bad_request "-f $OPTARG: no -a before it"
      pairs=$pairs$address' '$OPTARG$newline
      address=''
      ;;
    h)
      usage
      exit 0
      ;;
    l) hard_links=true ;;
    m) choose_verb rename ;;
    n) dry_run=true ;;
    p) asked=$asked$OPTARG$newline ;;
    q) quiet=true ;;
    r) choose_verb remove ;;
    s) choose_verb status ;;
    u) choose_verb update ;;
    *) bad_usage ;;
    esac
  done
  [ -z "$address" ] || bad_request "-a $address: no -f for it"
  shift $((OPTIND - 1))
  if [ "$verb" = update ] || [ "$verb" = status ]; then
    if [ -n "$pairs" ] || "$hard_links"; then
      bad_request '-s and -u: not with -a, -f or -l'
    fi
    if [ "$verb" = status ] && { [ -n "$asked" ] || "$dry_run"; }; then
      bad_request '-s: not with -n or -p'
    fi
    [ $# -eq 0 ] || wanted=$(printf '%s\n' "$@")
    return
  fi
  if [ "$verb" = remove ] || [ "$verb" = rename ]; then
    if [ -n "$asked$pairs" ] || "$hard_links"; then
      bad_request '-m and -r: not with -a, -f, -l or -p'
    fi
  fi
  if [ "$verb" = rename ]; then
    [ $# -eq 2 ] || bad_request '-m: needs the old name and the new one'
    old=$1
    shift
  fi
  [ $# -le 1 ] || bad_request "$2: one domain at a time"
  [ "$verb" != remove ] || [ $# -eq 1 ] || bad_request '-r: no domain given'
  if [ $# -eq 1 ]; then
    domain=$1
  elif [ -t 0 ]; then
    ask_request
  else
    bad_request 'no domain given, and no terminal to ask on'
  fi
}

# choose_verb VERB: sets verb; only one option may do that.
choose_verb() {
  [ "$verb" = make ] || bad_request '-m, -r, -s and -u: one of them at a time'
  verb=$1
}

# ask_request: asks for the domain and the leading directory, and sets domain
# and VIRTUAL to the answers.
ask_request() {
  local answer
  printf 'Enter the domain name: '
  IFS= read -r domain || domain=''
  [ -n "$domain" ] || die 'no domain name: nothing was made'
  printf 'Enter the leading directory (Enter for %s): ' "$VIRTUAL"
  IFS= read -r answer || answer=''
  VIRTUAL=${answer:-$VIRTUAL}
}

# check_request: dies if the domain cannot be made, before anything is. It sets place to the
# domain's directory.
check_request() {
  local directory
  case $verb in
  make | remove) check_name "$domain" ;;
  rename)
    check_name "$old"
    check_name "$domain"
    ;;
  esac
  case $VIRTUAL in
  /*) ;;
  *) die "$VIRTUAL: the leading directory must be an absolute path" ;;
  esac
  case $VIRTUAL in
  *[[:space:]]*) die "$VIRTUAL: a configuration of virtuald cannot name a directory with a space" ;;
  esac
  place=${VIRTUAL%/}/$domain
  check_range
  need_trusted "$VIRTUAL/.virtfs"
  for directory in ${LEADING:-}; do
    need_trusted "$directory/.virtfs"
    [ -d "$directory" ] || [ "$directory" = "$VIRTUAL" ] || die "LEADING: $directory: no such directory"
  done
  trust_configs
  [ "$verb" != make ] || { refuse_existing "$place" && need_settled "$domain"; }
  [ -z "$pairs" ] || [ -n "$virtuald" ] ||
    die 'virtuald: not found, and -a needs it to check the configuration'
}

# need_trusted PATH: dies unless only root can change where PATH leads: it checks every
# directory in which a part of it is looked up, links followed, and PATH itself if it
# exists. Nothing is written before that. Looking up names is safe: a directory that
# somebody else could change is refused at the end, whatever was found in it.
need_trusted() {
  local rest="$1" path='' name target links=0 untrusted
  set -- "$1" /
  while [ -n "$rest" ]; do
    name=${rest%%/*}
    case $rest in
    */*) rest=${rest#*/} ;;
    *) rest='' ;;
    esac
    case $name in
    '' | .) ;;
    ..) path=${path%/*} ;;
    *)
      if [ -L "$path/$name" ]; then
        links=$((links + 1))
        [ "$links" -le 40 ] || die "${1%/.virtfs}: too many symbolic links"
        target=$(readlink -- "$path/$name") || die "$path/$name: cannot be read"
        rest=$target/$rest
        case $target in
        /*) path='' ;;
        esac
      else
        path=$path/$name
        [ ! -d "$path" ] || set -- "$@" "$path"
      fi
      ;;
    esac
  done
  shift
  untrusted=$(find "$@" -prune \( ! -user root -o -perm -0020 -o -perm -0002 \))
  [ -z "$untrusted" ] ||
    die "${untrusted%%"$newline"*}: must be owned by root and not writable by anyone else; nothing was made"
}

# trust_configs: does the same for the configuration files, and sets pairs to name them by
# absolute paths.
trust_configs() {
  local given="$pairs" address config
  pairs=''
  while read -r address config; do
    [ -n "$address" ] || continue
    case $config in
    /*) ;;
    *) config=$(pwd -P)/$config ;;
    esac
    need_trusted "$config"
    pairs=$pairs$address' '$config$newline
  done <<END
$given
END
}

# check_name NAME: dies unless it is valid for a domain.
check_name() {
  is_domain_name "$1" ||
    die "$1: not the name of a domain: letters, digits, dots, hyphens and underscores, and a letter or digit first"
}

# refuse_existing PATH: dies if it exists.
refuse_existing() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    die "$1: exists already: nothing was changed"
  fi
}

# find_unfinished: sets unfinished to "OLD NEW" lines, one for each -m that was interrupted.
find_unfinished() {
  unfinished=$(grep -H '^from:' -- "${VIRTUAL%/}/.virtfs"/* 2>/dev/null | sed 's,.*/\([^/:]*\):from:\(.*\),\2 \1,')
}

# need_settled NAME: dies if an interrupted -m is from or to that name, because lines in
# configurations may name either directory.
need_settled() {
  local unfinished
  find_unfinished
  refuse_unsettled "$1"
}

# refuse_unsettled NAME: does the same after find_unfinished.
refuse_unsettled() {
  local from to
  while read -r from to; do
    case $1 in
    "$from" | "$to") die "$1: virtfs -m $from $to was interrupted: run it again first" ;;
    esac
  done <<END
$unfinished
END
}

# check_range: sets first_number, last_number and per_domain from UID_RANGE and
# UIDS_PER_DOMAIN.
check_range() {
  local range="${UID_RANGE:-65536-524287}"
  first_number=${range%%-*} last_number=${range#*-} per_domain=${UIDS_PER_DOMAIN:-256}
  case $range in
  *-*) ;;
  *) last_number='' ;;
  esac
  if ! is_number "$first_number" || ! is_number "$last_number" ||
    [ "$first_number" -gt "$last_number" ] || [ "$last_number" -ge 4294967295 ]; then
    die "UID_RANGE $range: not a range of numbers such as 65536-524287"
  fi
  if ! is_number "$per_domain" || [ "$per_domain" -gt $((last_number - first_number + 1)) ]; then
    die "UIDS_PER_DOMAIN $per_domain: not a number from 1 to the size of UID_RANGE"
  fi
}

# is_number TEXT: true for a number of at most ten digits that does not begin with 0.
is_number() {
  case $1 in
  '' | 0* | *[!0-9]* | ???????????*) return 1 ;;
  esac
}
