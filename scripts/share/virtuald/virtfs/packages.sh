# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/packages.sh - what dpkg knows that programs need: the configuration, helpers and directories of their
# packages. The packages of a program are the one that owns it and all others of the same source.

# The lists of files of dpkg's packages, which say more quickly than dpkg-query -S who has what.
package_lists=/var/lib/dpkg/info

# find_packages: finds what dpkg knows of all programs in names and files, and sets
#   helpers   directories of modules and helper programs, a line for each
#   settings  what is in /etc for the programs: files and directories
#   places    "MODE OWNER:GROUP PATH" for each directory in /var and /run
# What the helpers need is added to needed.
find_packages() {
  local packages own_names found
  helpers='' settings='' places=''
  if [ -d "$package_lists" ]; then
    packages=$(list_packages)
    if [ -n "$packages" ]; then
      own_names=$(list_own_names)
      found=$(list_files)
      choose_trees
      places=$(list_places)
    fi
  fi
  add_helpers
}

# both_names: prints each path that it reads, and the one that it had before /usr was merged, by which a package may
# know it.
both_names() {
  sed -n 's,^/usr\(/.*\),&\n\1,p; t; /^\//p'
}

# list_packages: prints "PACKAGE SOURCE" for the packages of the programs, but for essential ones, which must work
# before they are configured (Debian Policy, 3.8).
list_packages() {
  local owners
  owners=$(printf '%s' "$names$files" | both_names | "$grep" -lxFf - -- "$package_lists"/*.list |
    sed 's,.*/,,; s/\.list$//; s/:[a-z0-9]*$//') || :
  [ -n "$owners" ] || return 0
  owners="$owners" awk '
    BEGIN { n = split(ENVIRON["owners"], owner, "\n"); for (i = 1; i <= n; i++) is_owner[owner[i]] }
    function end_package() {
      if (is_installed && name != "") {
        of[name] = from == "" ? name : from
        if (name in is_owner && !is_essential) wanted[of[name]]
      }
      name = from = ""; is_installed = is_essential = 0
    }
    /^Package: / { end_package(); name = $2 }
    /^Source: / { from = $2 }
    /^Essential: yes/ { is_essential = 1 }
    /^Status: .* installed$/ { is_installed = 1 }
    END { end_package(); for (name in of) if (of[name] in wanted) print name, of[name] }' "${package_lists%/*}/status"
}

# list_files: prints the files of the packages.
list_files() {
  local name list
  printf '%s\n' "$packages" | while read -r name _; do
    for list in "$package_lists/$name.list" "$package_lists/$name":*.list; do
      [ ! -f "$list" ] || printf '%s\n' "$list"
    done
  done | tr '\n' '\0' | xargs -0 cat -- | sort -u
}

# list_own_names: prints the names by which a directory is the programs' own: theirs, and those of their packages.
list_own_names() {
  {
    printf '%s' "$names$files" | sed 's,.*/,,'
    printf '%s\n' "$packages" | tr ' ' '\n'
  } | sort -u
}

# add_helpers: adds what the helpers need to needed.
add_helpers() {
  local path file asked=''
  while IFS= read -r path; do
    [ -n "$path" ] || continue
    while IFS= read -r file; do
      [ -z "$file" ] || list_libraries "$file" || :
    done <<END
$(find "$path" -type f -user root ! -perm -0020 ! -perm -0002 \( -name '*.so' -o -name '*.so.*' -o -perm -0100 \))
END
  done <<END
$helpers
END
}

# make_packages: what find_packages has found, and what rules bring, in the root.
make_packages() {
  local path
  printf '%s' "$helpers" | while IFS= read -r path; do
    copy_tree "$path"
  done
  printf '%s' "$settings" | while IFS= read -r path; do
    copy_setting "$path"
  done
  make_places
  bring_all
  name_origins
}
