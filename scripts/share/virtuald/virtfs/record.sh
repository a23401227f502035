# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/record.sh - the record of a domain, $VIRTUAL/.virtfs/DOMAIN, which says how it was made.

# read_record DOMAIN: sets domain, place, record, plan, numbers, pairs, asked, hard_links,
# made and updated from the record. False if neither it nor -p names a program.
read_record() {
  local name value
  check_name "$1"
  domain=$1
  place=${VIRTUAL%/}/$1
  record=${VIRTUAL%/}/.virtfs/$1
  plan=${VIRTUAL%/}/.virtfs/.plans/$1
  numbers='' pairs='' asked='' hard_links=false made=unknown updated=-
  [ ! -L "$place" ] || die "$place: a link: name the domain that it leads to"
  [ -d "$place" ] || die "$place: no such domain"
  [ ! -f "$record" ] || while IFS=: read -r name value || [ -n "$name" ]; do
    case $name in
    numbers) numbers=$value ;;
    line) pairs=$pairs$value$newline ;;
    program) asked=$asked$value$newline ;;
    links) [ "$value" = no ] || hard_links=true ;;
    made) made=$value ;;
    updated) updated=$value ;;
    esac
  done <"$record"
  [ -z "$more" ] || asked=$(printf '%s' "$asked$more" | sort -u)$newline
  [ -n "$asked" ] || return 1
  case $newline$asked in
  *"$newline-$newline"*) asked='' ;;
  esac
}

# write_record: writes the record and the plan of an updated domain.
write_record() {
  make_plans || failed "$plan"
  ln -f -- "$making/plan" "$work/plan" && mv -f -- "$work/plan" "$plan" || failed "$plan"
  {
    [ -z "$numbers" ] || printf 'numbers:%s\n' "$numbers"
    say_each line: "$pairs"
    say_making
    printf 'made:%s\nupdated:%s\n' "$made" "$today"
  } >"$work/record" || failed "$record"
  mv -f -- "$work/record" "$record" || failed "$record"
}

# make_plans: makes the directory of the plans.
make_plans() {
  [ -d "${VIRTUAL%/}/.virtfs/.plans" ] || mkdir -m 0700 -- "${VIRTUAL%/}/.virtfs/.plans"
}

# say_each PREFIX LINES: prints the lines, each with the prefix.
say_each() {
  local rest="$2"
  while [ -n "$rest" ]; do
    printf '%s%s\n' "$1" "${rest%%"$newline"*}"
    rest=${rest#*"$newline"}
  done
}

# say_making: prints the lines of a record that say how the root was made.
say_making() {
  say_each program: "${asked:--$newline}"
  if "$hard_links"; then
    printf 'links:yes\n'
  else
    printf 'links:no\n'
  fi
  [ -z "$version" ] || printf 'version:%s\n' "$version"
}

# find_version: sets version to that of virtuald, and today to the date and time.
find_version() {
  version='' today=$(date '+%Y-%m-%d %H:%M')
  [ -z "$virtuald" ] || version=$("$virtuald" -V)
  version=${version#virtuald }
}
