# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/update.sh - virtfs -u: a domain's files are those of the host again;
# virtfs sources it after its other files.
#
# The root is made once more in the hidden directory from what the record says, once
# for all domains of the same making, and what is other in the domain is replaced
# by what is there. That is done by renames, each of one file and in a directory
# that is held: "." is a directory of the domain by then, whatever its owner
# exchanges, and no link is followed. Libraries are replaced before programs, and
# what only the old plan had goes last, so that a connection at any moment finds
# what it needs. A run that is killed leaves a domain that serves, and what the
# next one finishes.
#
# The plan of a domain, $VIRTUAL/.virtfs/.plans/DOMAIN, is what was made there: a
# line for each file, sorted, as
#   f MODE OWNER:GROUP SIZE TIME PATH    a file of what -u replaces
#   l - - - - PATH -> TARGET             a link there
#   d MODE OWNER:GROUP - - PATH          a directory there
#   v MODE OWNER:GROUP - - PATH          a directory of var or run, made if missing
#   e SUM PATH                           a file of etc, that a domain may change
#   E TARGET PATH                        a link there

# find_tools: sets find, cp, dd and grep to the programs of the host, by their paths, as
# those of busybox that a shell may have built in know less.
find_tools() {
  find=$(find_program find) && cp=$(find_program cp) && dd=$(find_program dd) && grep=$(find_program grep) || exit
}

# What -u replaces whatever it finds.
system_directories='bin sbin lib lib32 lib64 libx32 usr'

# What a domain has of its own in etc from the first day.
own_etc='^etc/(passwd|group|shadow|gshadow|subuid|subgid|hostname|mailname|hosts|aliases|nsswitch[.]conf|login[.]defs|adduser[.]conf)$'

# list_root DIRECTORY: prints what is in the system directories of the root, and the
# directories of var and run, in lines of a plan. find follows no link. A name with a
# line end in it, by which a domain could put in lines of its own, is left out.
list_root() (
  cd -P -- "$1" || exit
  # Those that the host has.
  # shellcheck disable=SC2086
  exec "$find" $system_directories var run -name "*$newline*" -prune -o \
    \( -path 'var*' -o -path 'run*' \) \( ! -type d -o -printf 'v %m %U:%G - - %p\n' \) -o \
    -type f -printf 'f %m %U:%G %s %T@ %p\n' -o \
    -type l ! -lname "*$newline*" -printf 'l - - - - %p -> %l\n' -o \
    -type d -printf 'd %m %U:%G - - %p\n' 2>/dev/null
)

# list_etc DIRECTORY: the same for etc, of a root that nobody else can change. A link that
# an account of the host may have made there can lead to more than one word or line.
list_etc() {
  (
    cd -P -- "$1"
    find etc -type f | grep -vE -e "$own_etc" | tr '\n' '\0' | xargs -0 -r sha256sum -- |
      sed 's/^\([0-9a-f]*\)  /e \1 /'
    "$find" etc -type l ! -lname "*[ $newline]*" -printf 'E %l %p\n'
  )
}

# write_plan ROOT FILE: writes the plan of a root that was just made.
write_plan() {
  {
    list_root "$1" || :
    list_etc "$1"
  } | sort >"$2" || failed 'the plan'
}

# ---- What was made ------------------------------------------------------------

# read_record DOMAIN: sets domain, place, record, plan, numbers, pairs, asked,
# hard_links, made and updated to what is known of it. False where its record
# names no program, and -p neither.
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
  [ ! -f "$record" ] || while IFS=: read -r name value; do
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

# write_record: writes down what the domain is made of by now, as record and plan.
write_record() {
  make_plans
  ln -f -- "$making/plan" "$plan.new" && mv -f -- "$plan.new" "$plan" || failed "$plan"
  {
    [ -z "$numbers" ] || printf 'numbers:%s\n' "$numbers"
    say_each line: "$pairs"
    say_making
    printf 'made:%s\nupdated:%s\n' "$made" "$today"
  } >"$record.new" || failed "$record"
  mv -f -- "$record.new" "$record" || failed "$record"
}

# make_plans: makes the place for the plans.
make_plans() {
  [ -d "${VIRTUAL%/}/.virtfs/.plans" ] || mkdir -m 0700 -- "${VIRTUAL%/}/.virtfs/.plans"
}

# say_each PREFIX LINES: prints them, each after the prefix.
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

# find_version: sets version to virtuald's, and today to the time.
find_version() {
  version='' today=$(date '+%Y-%m-%d %H:%M')
  [ -z "$virtuald" ] || version=$("$virtuald" -V)
  version=${version#virtuald }
}

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

# ---- Putting it in place --------------------------------------------------------

# hold DIRECTORY: goes to that directory of the domain. False where it is not there
# or a link leads there: PWD is the real path after cd -P.
hold() {
  { cd -P -- "$place/$1"; } 2>/dev/null && [ "$PWD" = "$place${1:+/$1}" ]
}

# path_of: what awk does for the path in a line of a plan, but for those of etc.
# shellcheck disable=SC2016 # a script
path_of='
  function path_of(   path) {
    path = $0
    sub(/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* /, "", path)
    if (/^l/) sub(/ -> .*/, "", path)
    return /^[eE]/ ? "" : path
  }'

# compare NEW OLD: compares what is there, in the lines of a plan that it reads, with the
# new plan, and that with the old one, and writes in the hidden directory
#   changed    the paths of files in the new plan that are not there as it says: libraries
#              first, the loader and the C library among them, then programs, each directory
#              at once
#   missing    "MODE OWNER PATH" of the directories that are not there
#   gone       the paths of the old plan that are there and must not be any more
#   etc        "VALUE OLD-VALUE PATH" of the files of etc that are not as in the old plan
#   other      whether the plans differ
compare() {
  local list
  for list in changed missing gone etc other; do
    : >"$work/$list"
  done
  work=$work awk "$path_of"'
    function put(line, list) { print line >(work "/" list); is_open[list] }
    # Those of a directory, the loader and the C library first and so close together.
    function put_files(directory,   first, i) {
      for (first = 1; first >= 0; first--)
        for (i = 1; i <= files[directory]; i++)
          if ((file[directory, i] ~ /\/(ld[^\/]*|libc)[.]so[^\/]*$/) == first) put(file[directory, i], "changed")
    }
    BEGIN { work = ENVIRON["work"] }
    FILENAME == ARGV[1] { line[++count] = $0; path[$0] = path_of(); is[path[$0]]; next }
    FILENAME == ARGV[2] {
      old[$0]
      if (!($0 in path)) is_other = 1
      if (/^[fld]/) was[path_of()]
      if (/^[eE]/) before[$1, $3] = $2
      next
    }
    # A domain has as many files as it likes: no more of them is kept than the plans name.
    $0 in path { present[$0]; there[path[$0]]; next }
    { text = path_of(); if (text in is || text in was) there[text] }
    END {
      for (i = 1; i <= count; i++) {
        $0 = line[i]; text = path[$0]
        if (!($0 in old)) is_other = 1
        if (/^[fl]/ && !($0 in present)) {
          directory = text; sub(/\/?[^\/]*$/, "", directory)
          file[directory, ++files[directory]] = text
        }
        # A directory that is there is the domain'"'"'s.
        if (/^[dv]/ && !(text in there)) put($2 " " $3 " " text, "missing")
        if (/^[eE]/ && !($0 in old)) put($2 " " (($1, $3) in before ? before[$1, $3] : "-") " " $3, "etc")
      }
      for (directory in files) if (directory ~ /(^|\/)lib/) put_files(directory)
      for (directory in files) if (directory !~ /(^|\/)lib/) put_files(directory)
      for (text in was) if (!(text in is) && text in there) put(text, "gone")
      if (is_other) put("yes", "other")
      # One that was cut short, on a full disk, would have needed files removed.
      for (list in is_open) if (close(work "/" list) != 0) exit 1
    }' "$1" "$2" -
  # What is in another directory comes after it, and goes before it.
  [ ! -s "$work/missing" ] || sort -k 3 -o "$work/missing" -- "$work/missing"
  [ ! -s "$work/gone" ] || sort -r -o "$work/gone" -- "$work/gone"
}

# replace: puts what has changed in place. Returns 1 where something could not be.
replace() {
  local stage="$work/stage.$domain" fine=true directory mode owner
  while read -r mode owner directory; do
    make_directory "$directory" "$mode" "$owner"
  done <"$work/missing"
  [ -s "$work/changed" ] || return 0
  mkdir -p -- "$stage"
  stage_changed
  by_directory move_changed <"$work/changed"
  "$fine"
}

# stage_changed: copies what has changed to the stage.
stage_changed() (
  cd -- "$making/root"
  set --
  while IFS= read -r path; do
    set -- "$@" "$path"
    [ $# -lt 256 ] || { copy_to_stage "$@" && set --; }
  done <"$work/changed"
  [ $# -eq 0 ] || copy_to_stage "$@"
)

copy_to_stage() {
  "$cp" -dp ${link:+"$link"} ${clone:+"$clone"} --parents -t "$stage" -- "$@" || failed "$place"
}

# make_directory PATH MODE OWNER: makes one that the domain lacks: elsewhere, and then
# moves it in, since what has its name there may be another file a moment later.
make_directory() (
  rm -rf -- "$work/directory"
  mkdir -m "$2" -- "$work/directory"
  chown -- "$3" "$work/directory"
  case $1 in
  */*) hold "${1%/*}" || return 0 ;;
  *) hold '' ;;
  esac
  if [ ! -e "./${1##*/}" ] && [ ! -L "./${1##*/}" ] && is_of_domain .; then
    mv -T -- "$work/directory" "./${1##*/}" 2>/dev/null || :
  fi
)

# is_of_domain DIRECTORY: true where it is on the file system of the hidden directory,
# so that what is moved there is renamed.
is_of_domain() {
  # shellcheck disable=SC2046 # two words
  set -- $(stat -c %d -- "$1" "$work")
  [ $# -eq 2 ] && [ "$1" = "$2" ]
}

# move_changed DIRECTORY PATH...: moves these from the stage; sets fine to false where one
# cannot be moved.
move_changed() {
  move_in "$stage" "$@" || fine=false
}

# move_in STAGE DIRECTORY PATH...: moves the files that have these paths in the stage to that
# directory of the domain. False where one cannot be moved. A directory that has the name
# of a file is left.
move_in() (
  stage=$1 directory=$2
  shift 2
  if ! hold "$directory" || ! is_of_domain .; then
    warn "$place/$directory: not a directory of the domain's file system: left as it is"
    return 1
  fi
  for path in "$@"; do
    shift
    set -- "$@" "$stage/$path"
  done
  mv -f -- "$@" . 2>/dev/null || :
  for path in "$@"; do
    if [ -L "$path" ] || [ -f "$path" ]; then
      warn "$place/$directory/${path##*/}: cannot be replaced: left as it is"
      return 1
    fi
  done
)

# remove_gone: removes what only the old plan had.
remove_gone() {
  local path
  while IFS= read -r path; do
    (
      case $path in
      */*) hold "${path%/*}" ;;
      *) hold '' ;;
      esac || exit 0
      rm -f -- "./${path##*/}" 2>/dev/null || rmdir -- "./${path##*/}" 2>/dev/null || :
    )
  done <"$work/gone"
}

# ---- etc --------------------------------------------------------------------------

# replace_etc: puts the new files of etc in place where the domain has not changed
# them since, and names those that it has; with -n it says so only.
replace_etc() {
  local value before path now
  while read -r value before path; do
    now=$(state_of "$path")
    if [ "$now" = "$value" ]; then
      continue
    elif [ "${now:--}" = "$before" ] || [ "$path" = etc/ld.so.cache ]; then
      if "$dry_run"; then
        say "Would replace $place/$path"
        continue
      fi
      place_etc "$path" || warn "$place/$path: not replaced"
    else
      warn "$place/$path: changed in the domain: left as it is"
    fi
  done <"$work/etc"
}

# state_of PATH: prints the sum of a file of the domain, or what a link there leads
# to; nothing for what is not there. Nothing is waited for, and no link followed.
state_of() (
  hold "${1%/*}" || return 0
  if [ -L "./${1##*/}" ]; then
    readlink -- "./${1##*/}"
  elif [ -f "./${1##*/}" ]; then
    "$dd" if="./${1##*/}" iflag=nofollow,nonblock bs=65536 count=64 2>/dev/null | sha256sum | cut -d ' ' -f 1
  elif [ -e "./${1##*/}" ]; then
    echo other
  fi
)

# place_etc PATH: moves a copy of the new file to its place.
place_etc() (
  local directory="${1%/*}"
  rm -rf -- "$work/stage"
  mkdir -p -- "$work/stage"
  cp -dp -- "$making/root/$1" "$work/stage/" || exit 1
  (hold "$directory") || make_directory "$directory" 0755 0:0
  move_in "$work/stage" "$directory" "${1##*/}"
)

# ---- The whole ---------------------------------------------------------------------

# say_changes: says what would be done.
say_changes() {
  local path
  {
    cat -- "$work/changed"
    cut -d ' ' -f 3- -- "$work/missing"
  } | while IFS= read -r path; do
    say "Would replace $place/$path"
  done
  while IFS= read -r path; do
    say "Would remove $place/$path"
  done <"$work/gone"
  replace_etc
}

# say_users_of_old_files: names the processes in the domains in done that still have files
# open which were replaced, in one go for all. Each domain has its new files by then, so
# that a process which is not seen has them too.
say_users_of_old_files() {
  local place pid name last='' users=''
  set --
  while IFS= read -r place; do
    set -- "$@" "$place"
  done <"$work/done"
  [ $# -gt 0 ] || return 0
  stat -L -c '%d:%i %n' -- "$@" /proc/[0-9]*/root 2>/dev/null | awk '
    $2 ~ /^\/proc\// { if ($1 in place) { split($2, part, "/"); print part[3], place[$1] }; next }
    { place[$1] = $2 }' >"$work/residents"
  sed 's,\([0-9]*\) .*,/proc/\1/maps,' "$work/residents" | xargs -r "$grep" -lsE \
    ' /([^ ]*/)?(usr|bin|sbin|lib[0-9a-z]*)/[^ ]* [(]deleted[)]$' -- | tr -cd '0-9\n' |
    awk 'NR == FNR { place[$1] = $2; next } { print place[$1], $1 }' "$work/residents" - | sort >"$work/users"
  while read -r place pid; do
    name=''
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$place" = "$last" ] || say_users
    last=$place users="$users $pid ($(printf '%s' "$name" | tr -cd ' -~'))"
  done <"$work/users"
  say_users
}

# say_users: the step of say_users_of_old_files for one domain. Sets users to none.
say_users() {
  [ -z "$users" ] || warn "$last: these still run the old files, start them again:$users"
  users=''
}

# compare_domain: the same for what is in the domain, and its own plan as the old one.
compare_domain() {
  local old="$plan"
  [ -f "$old" ] || old=/dev/null
  list_root "$place" | compare "$making/plan" "$old"
}

# update DOMAIN: the whole of -u for one domain.
update() {
  local fine=true
  refuse_unsettled "$1"
  if ! read_record "$1"; then
    warn "$place: nothing is known of how it was made: say with -p which programs it is to have, or -p - for all of the host"
    return 1
  fi
  make_fresh || return
  strictly compare_domain || return
  if [ ! -s "$work/changed" ] && [ ! -s "$work/other" ]; then
    # Another program may have brought those of -p.
    [ -z "$more" ] || "$dry_run" || strictly write_record || return
    say "$place: has what the host has"
  elif "$dry_run"; then
    say_changes
    return
  else
    ! "$hard_links" || choose_copy
    strictly replace || fine=false
    replace_etc
    remove_gone
    if ! "$fine"; then
      warn "$place: not updated: another update finishes it"
      return 1
    fi
    strictly write_record || return
    say "Updated $place"
  fi
  printf '%s\n' "$place" >>"$work/done"
}

# update_domains: -u of the domains in wanted, a line for each, or of all that there
# are. It sets more to the programs that they are to have besides, VIRTUAL to its
# real path, and wanted, hard_links, and what choose_copy, find_version and find_unfinished
# set.
update_domains() {
  local name fine=true
  need_root
  more=$asked
  [ -n "$wanted" ] || wanted=$(list_domains)
  [ -n "$wanted" ] || die "$VIRTUAL: no domains there: make one with virtfs"
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  find_outsider
  open_work
  printf '' >"$work/done" || failed "$work"
  find_unfinished
  find_owners
  find_version
  hard_links=false
  choose_copy
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    (update "$name") || fine=false
  done <<END
$wanted
END
  say_users_of_old_files
  "$fine"
}
