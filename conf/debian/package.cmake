# `cpack -G DEB` in the build directory makes a package of the files that `cmake --install` installs.

set(CPACK_PACKAGE_NAME virtuald)
set(CPACK_PACKAGE_CONTACT "The virtuald authors <maintainers@virtuald.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gives every local address of a machine its own root directory")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"virtuald sits between inetd and an ordinary daemon, and starts the daemon in
the root directory of the address that the client reached. One machine thus
serves FTP, POP or SMTP for several domains, each with its own files and
users, even if the daemons do not support virtual hosting.

Its scripts, known from the Linux Virtual Services HOWTO, make the roots, run
commands in them, and start the log daemon and the mail queue runners for all
of them.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# The scripts need only essential packages.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "dialog, openbsd-inetd | inet-superserver")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/conffiles
    ${CMAKE_CURRENT_LIST_DIR}/postinst ${CMAKE_CURRENT_LIST_DIR}/prerm ${CMAKE_CURRENT_LIST_DIR}/postrm
    ${CMAKE_CURRENT_LIST_DIR}/triggers)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_VIRTUALD_SOURCE ${PROJECT_SOURCE_DIR})
include(CPack)
