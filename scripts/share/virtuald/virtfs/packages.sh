# shellcheck shell=sh disable=SC2034,SC2154
# virtfs/packages.sh - the packages of programs, as dpkg knows them, for their configuration, helpers and directories:
# the package that a program is from, and all others of the same source.

# dpkg's lists of the files of packages. Reading them is faster than dpkg-query -S.
package_lists=/var/lib/dpkg/info

# find_packages: finds the packages of the programs in names and files, and sets
#   helpers   their directories of modules and helper programs
#   settings  their files and directories in /etc
#   places    "MODE OWNER:GROUP PATH" for each of their directories in /var and /run
# It adds the libraries of the helpers to needed.
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

# both_names: prints each path that it reads, and the path that it had before /usr was merged, because packages may list
# that one.
both_names() {
  sed -n 's,^/usr\(/.*\),&\n\1,p; t; /^\//p'
}

# list_packages: prints "PACKAGE SOURCE" for the packages of the programs. Essential ones are left out, because they
# must work before they are configured (Debian Policy, 3.8).
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
    /^Status: .* (installed|triggers-awaited|triggers-pending)$/ { is_installed = 1 }
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

# list_own_names: prints the names of the programs and of their packages. A directory with such a name belongs to them.
list_own_names() {
  {
    printf '%s' "$names$files" | sed 's,.*/,,'
    printf '%s\n' "$packages" | tr ' ' '\n'
  } | sort -u
}

# add_helpers: adds the libraries of the helpers to needed.
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

# make_packages: copies the directories and files that find_packages has found, and those of the rules, to the root.
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
