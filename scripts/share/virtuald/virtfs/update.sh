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
#   v MODE OWNER:GROUP PATH              a directory of var or run, made if missing
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

# list_system DIRECTORY: prints what is in the system directories of the root, in
# lines of a plan. find follows no link. A name with a line end in it, by which a
# domain could put in lines of its own, is left out.
list_system() {
  (
    cd -P -- "$1"
    # Those that the host has.
    # shellcheck disable=SC2086
    "$find" $system_directories -name "*$newline*" -prune -o \
      -type f -printf 'f %m %U:%G %s %T@ %p\n' -o \
      -type l ! -lname "*$newline*" -printf 'l - - - - %p -> %l\n' -o \
      -type d -printf 'd %m %U:%G - - %p\n' 2>/dev/null
  ) | sort
}

# list_made_places DIRECTORY: the same for the directories of var and run.
list_made_places() {
  (cd -P -- "$1" && "$find" var run -name "*$newline*" -prune -o -type d -printf 'v %m %U:%G %p\n')
}

# list_etc DIRECTORY: the same for etc, of a root that nobody else can change. A link that
# an account of the host may have made there can lead to more than one line, too.
list_etc() {
  (
    cd -P -- "$1"
    find etc -type f | grep -vE -e "$own_etc" | sort | tr '\n' '\0' | xargs -0 -r sha256sum -- |
      sed 's/^\([0-9a-f]*\)  /e \1 /'
    "$find" etc -type l ! -lname "*$newline*" -printf 'E %l %p\n'
  ) | sort
}

# write_plan ROOT FILE: writes the plan of a root that was just made.
write_plan() {
  {
    list_system "$1"
    list_etc "$1"
    list_made_places "$1"
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
  while IFS=: read -r name value; do
    case $name in
    numbers) numbers=$value ;;
    line) pairs=$pairs$value$newline ;;
    program) asked=$asked$value$newline ;;
    links) [ "$value" = no ] || hard_links=true ;;
    made) made=$value ;;
    updated) updated=$value ;;
    esac
  done <<END
$([ ! -f "$record" ] || cat -- "$record")
END
  asked=$asked$more
  [ -n "$asked" ] || return 1
  case $newline$asked in
  *"$newline-$newline"*) asked='' ;;
  esac
}

# write_record: writes down what the domain is made of by now, as record and plan.
write_record() {
  make_plans
  cp -- "$making/plan" "$plan.new" && mv -f -- "$plan.new" "$plan" || failed "$plan"
  {
    [ -z "$numbers" ] || printf 'numbers:%s\n' "$numbers"
    [ -z "$pairs" ] || printf '%s' "$pairs" | sed 's/^/line:/'
    say_making
    printf 'made:%s\nupdated:%s\n' "$made" "$(date '+%Y-%m-%d %H:%M')"
  } >"$record.new" || failed "$record"
  mv -f -- "$record.new" "$record" || failed "$record"
}

# make_plans: makes the place for the plans.
make_plans() {
  [ -d "${VIRTUAL%/}/.virtfs/.plans" ] || mkdir -m 0700 -- "${VIRTUAL%/}/.virtfs/.plans"
}

# say_making: prints the lines of a record that say how the root was made.
say_making() {
  local version
  if [ -n "$asked" ]; then
    printf '%s' "$asked" | sort -u | sed 's/^/program:/'
  else
    printf 'program:-\n'
  fi
  if "$hard_links"; then
    printf 'links:yes\n'
  else
    printf 'links:no\n'
  fi
  version=''
  [ -z "$virtuald" ] || version=$("$virtuald" -V)
  [ -z "$version" ] || printf 'version:%s\n' "${version#virtuald }"
}

# make_fresh: makes a root of the domain's programs in the hidden directory, unless
# this run has made one like it. Sets making to the directory that has it, as
# root, and its plan.
make_fresh() {
  local wanted kind
  wanted="$hard_links $(printf '%s' "$asked" | sort -u | tr '\n' ' ')"
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
  write_plan "$root" "$making/plan"
  grep '^[fl]' "$making/plan" >"$making/files"
}

# ---- Putting it in place --------------------------------------------------------

# hold DIRECTORY: goes to that directory of the domain. False where it is not there
# or a link leads there.
hold() {
  { cd -P -- "$place/$1"; } 2>/dev/null && [ "$(pwd -P)" = "$place${1:+/$1}" ]
}

# differ: true unless the domain has all of the new plan, and its own plan is that.
differ() {
  list_made_places "$place" >"$work/places"
  ! is_fulfilled || ! cmp -s -- "$plan" "$making/plan"
}

# differences: writes the lines of files in the new plan that the domain does not fulfil to
# changed_files and changed_etc, "MODE OWNER PATH" of the directories that it lacks to
# missing, the directories of changed files to directories, libraries first, the loader and
# the C library among them, then programs; and the paths of the old plan that the domain must
# not have any more to gone, in the hidden directory. present and places are there already.
differences() {
  local old="$plan" list
  [ -f "$old" ] || old=/dev/null
  for list in changed_files changed_etc missing directories gone; do
    : >"$work/$list.new"
  done
  work=$work awk '
    # The path in a line of a plan, but for those of etc and of places.
    function path_of(line) {
      if (sub(/^f [^ ]* [^ ]* [^ ]* [^ ]* /, "", line) || sub(/^d [^ ]* [^ ]* - - /, "", line)) return line
      if (sub(/^l - - - - /, "", line) && match(line, /.* -> /)) return substr(line, 1, RLENGTH - 4)
      return ""
    }
    function put(line, list) { print line >(work "/" list ".new") }
    BEGIN { work = ENVIRON["work"] }
    FILENAME == ARGV[1] { line[++count] = $0; is_line[$0]; if ((path = path_of($0)) != "") is[path]; next }
    FILENAME == ARGV[2] { old[$0]; if ((path = path_of($0)) != "") was[path]; next }
    # A domain has as many files as it likes: no more of them is kept than the plans name.
    {
      if ($0 in is_line) present[$0]
      path = path_of($0)
      if (path in is || path in was) there[path]
    }
    END {
      for (i = 1; i <= count; i++) {
        text = line[i]; path = path_of(text); split(text, word, " ")
        if (text ~ /^[fl]/ && !(text in present)) {
          put(text, "changed_files")
          if (sub(/\/[^\/]*$/, "", path)) put((path ~ /(^|\/)lib/ ? 1 : 2) " " path, "directories")
        }
        # A directory that is there is the domain'"'"'s.
        if (text ~ /^d/ && !(path in there)) put(word[2] " " word[3] " " path, "missing")
        if (text ~ /^v/ && !(text in present)) put(substr(text, 3), "missing")
        if (text ~ /^[eE]/ && !(text in old)) put(text, "changed_etc")
      }
      for (path in was) if (!(path in is) && path in there) put(path, "gone")
    }' "$making/plan" "$old" "$work/present" "$work/places"
  for list in changed_files changed_etc; do
    mv -f -- "$work/$list.new" "$work/$list"
  done
  sort -u -- "$work/directories.new" >"$work/directories"
  # What is in another directory comes after it, and goes before it.
  sort -k 3 -- "$work/missing.new" >"$work/missing"
  sort -r -- "$work/gone.new" >"$work/gone"
}

# paths_of PLAN: prints the paths of what is not in etc.
paths_of() {
  sed -n 's/^f [^ ]* [^ ]* [^ ]* [^ ]* //p; s/^d [^ ]* [^ ]* - - //p; s/^l - - - - \(.*\) -> .*/\1/p' "$1"
}

# replace: puts what has changed in place. Returns 1 where something could not be.
replace() {
  local stage="$work/stage" fine=true directory mode owner
  rm -rf -- "$stage"
  mkdir -- "$stage"
  while read -r mode owner directory; do
    make_directory "$directory" "$mode" "$owner"
  done <"$work/missing"
  [ -s "$work/changed_files" ] || return 0
  paths_of "$work/changed_files" | tr '\n' '\0' |
    (cd -- "$making/root" && xargs -0 -r "$cp" -dp ${link:+"$link"} ${clone:+"$clone"} --parents -t "$stage" --) ||
    failed "$place"
  while IFS= read -r directory; do
    directory=${directory#? }
    move_in "$stage/$directory" "$directory" || fine=false
  done <"$work/directories"
  "$fine"
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

# move_in STAGE DIRECTORY: moves the files of the stage to that directory of the
# domain, the loader and the C library first, and so close together. False where
# one cannot be moved. A directory that has the name of a file is left.
move_in() (
  stage=$1 directory=$2
  if ! hold "$directory" || ! is_of_domain .; then
    warn "$place/$directory: not a directory of the domain's file system: left as it is"
    return 1
  fi
  set --
  for file in "$stage"/ld*.so* "$stage"/libc.so* "$stage"/* "$stage"/.[!.]*; do
    if [ -L "$file" ] || [ -f "$file" ]; then
      set -- "$@" "$file"
    fi
  done
  # Some names come twice, and are gone by then.
  [ $# -eq 0 ] || mv -f -- "$@" . 2>/dev/null || :
  for file in "$@"; do
    if [ -L "$file" ] || [ -f "$file" ]; then
      warn "$place/$directory/${file##*/}: cannot be replaced: left as it is"
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
  local kind value path now before old="$plan"
  [ -f "$old" ] || old=/dev/null
  while read -r kind value path; do
    now=$(state_of "$path")
    before=$(awk -v kind="$kind" -v path="$path" '$1 == kind && $3 == path { print $2 }' "$old")
    if [ "$now" = "$value" ]; then
      continue
    elif [ "$now" = "$before" ] || [ "$path" = etc/ld.so.cache ]; then
      if "$dry_run"; then
        say "Would replace $place/$path"
        continue
      fi
      place_etc "$path" || warn "$place/$path: not replaced"
    else
      warn "$place/$path: changed in the domain: left as it is"
    fi
  done <"$work/changed_etc"
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
  move_in "$work/stage" "$directory"
)

# ---- The whole ---------------------------------------------------------------------

# say_changes: says what would be done.
say_changes() {
  local path
  {
    paths_of "$work/changed_files"
    cut -d ' ' -f 3- -- "$work/missing"
  } | while IFS= read -r path; do
    say "Would replace $place/$path"
  done
  while IFS= read -r path; do
    say "Would remove $place/$path"
  done <"$work/gone"
  replace_etc
}

# say_users_of_old_files: names the processes in the domain that still have files
# open which were replaced.
say_users_of_old_files() {
  local pid name users=''
  for pid in $(processes_in "$place"); do
    if grep -qsE ' /([^ ]*/)?(usr|bin|sbin|lib[0-9a-z]*)/[^ ]* [(]deleted[)]$' "/proc/$pid/maps"; then
      name=''
      { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
      users="$users $pid ($(printf '%s' "$name" | tr -cd ' -~'))"
    fi
  done
  [ -z "$users" ] || warn "$place: these still run the old files, start them again:$users"
}

# is_fulfilled: true when every file of the new plan is in the domain. The programs
# were tried in the root that was made, and so would start here.
is_fulfilled() {
  list_system "$place" >"$work/present"
  [ -z "$(comm -23 -- "$making/files" "$work/present")" ]
}

# update DOMAIN: the whole of -u for one domain.
update() {
  local fine=true
  need_settled "$1"
  if ! read_record "$1"; then
    warn "$place: nothing is known of how it was made: say with -p which programs it is to have, or -p - for all of the host"
    return 1
  fi
  make_fresh || return
  if ! differ; then
    # Another program may have brought those of -p.
    [ -z "$more" ] || "$dry_run" || strictly write_record || return
    say "$place: has what the host has"
  else
    # A list that was cut short, on a full disk, would have needed files removed.
    strictly differences || return
    if "$dry_run"; then
      say_changes
      return
    fi
    ! "$hard_links" || choose_copy
    strictly replace || fine=false
    replace_etc
    remove_gone
    is_fulfilled || fine=false
    if ! "$fine"; then
      warn "$place: not updated: another update finishes it"
      return 1
    fi
    strictly write_record || return
    say "Updated $place"
  fi
  say_users_of_old_files
}

# update_domains: -u of the domains in wanted, a line for each, or of all that there
# are. It sets more to the programs that they are to have besides, VIRTUAL to its
# real path, and wanted, hard_links, and what choose_copy sets.
update_domains() {
  local name fine=true
  need_root
  more=$asked
  [ -n "$wanted" ] || wanted=$(list_domains)
  [ -n "$wanted" ] || die "$VIRTUAL: no domains there: make one with virtfs"
  VIRTUAL=$(cd -P -- "$VIRTUAL" && pwd -P)
  find_outsider
  open_work
  find_owners
  hard_links=false
  choose_copy
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    (update "$name") || fine=false
  done <<END
$wanted
END
  "$fine"
}
