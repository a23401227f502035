# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/request.sh - the command line.

# bad_request MESSAGE: warns, shows the usage, and exits with 2.
bad_request() {
  warn "$1"
  bad_usage
}

# read_options ARGUMENT...: sets verb (make, update, status, rename or remove),
# hard_links, dry_run, quiet, asked (programs, one per line), pairs (an address and a config
# on each line), domain, old (the name that -m replaces with domain), wanted (the domains
# of -u and -s, one per line) and VIRTUAL.
read_options() {
  local option address=''
  hard_links=false dry_run=false quiet=false verb=make
  asked='' pairs='' wanted='' domain='' old=''
  while getopts a:d:f:hlmnp:qrsu option; do
    case $option in
    a)
      [ -z "$address" ] || bad_request "-a $address: no -f for it"
      case $OPTARG in
      '' | *[[:space:]]*) bad_request "-a $OPTARG: not an address" ;;
      esac
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
      bad_request '-s and -u: cannot be combined with -a, -f or -l'
    fi
    if [ "$verb" = status ] && { [ -n "$asked" ] || "$dry_run"; }; then
      bad_request '-s: cannot be combined with -n or -p'
    fi
    for domain; do
      check_name "$domain"
      wanted=$wanted$domain$newline
    done
    return
  fi
  if [ "$verb" = remove ] || [ "$verb" = rename ]; then
    if [ -n "$asked$pairs" ] || "$hard_links"; then
      bad_request '-m and -r: cannot be combined with -a, -f, -l or -p'
    fi
  fi
  if [ "$verb" = rename ]; then
    [ $# -eq 2 ] || bad_request '-m: needs the old name and the new one'
    old=$1
    shift
  fi
  [ $# -le 1 ] || bad_request "$2: only one domain at a time"
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
  [ "$verb" = make ] || bad_request '-m, -r, -s and -u: only one of them at a time'
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

# check_request: dies if the request is invalid, before anything is done. It sets place to
# the domain's directory.
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
