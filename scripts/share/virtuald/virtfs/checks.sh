# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/checks.sh - checks that refuse a request before anything is done.

# need_trusted PATH: dies unless only root can change where PATH leads. It checks every
# directory in which a part of PATH is looked up, following links, and PATH itself if it
# exists. Nothing is written before this. Looking up names is safe: a directory that
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
    die "${untrusted%%"$newline"*}: must be owned by root and not writable by anyone else; nothing was changed"
}

# trust_configs: does the same for the configuration files, and sets pairs so that it has
# their absolute paths.
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

# check_name NAME: dies unless a domain can have that name.
check_name() {
  is_domain_name "$1" ||
    die "$1: not the name of a domain: use letters, digits, dots, hyphens and underscores, beginning with a letter or digit"
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
