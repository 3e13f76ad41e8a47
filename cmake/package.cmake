# cpack -G DEB --config build/release/CPackConfig.cmake: a Debian package with
# the binary, a systemd unit and its configuration.
include(GNUInstallDirs)

install(FILES packaging/troupe.service DESTINATION lib/systemd/system)
install(FILES packaging/troupe.toml DESTINATION /etc/troupe)
install(FILES README.md LICENSE CHANGELOG.md docs/configuration.md docs/admin.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME troupe)
set(CPACK_PACKAGE_VENDOR "Troupe")
set(CPACK_PACKAGE_CONTACT "The Troupe authors <troupe@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "message broker: durable inboxes for users and their devices")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/packaging/conffiles"
  "${CMAKE_SOURCE_DIR}/packaging/postinst"
  "${CMAKE_SOURCE_DIR}/packaging/prerm")
include(CPack)
