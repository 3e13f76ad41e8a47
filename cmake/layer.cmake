# troupe_layer(name SOURCES … HEADERS … DEPS … EXTERNAL …)
#
# One folder, one static library, one namespace. HEADERS are verified to
# compile alone; DEPS are other layers, EXTERNAL third-party targets that the
# layer's headers or sources use.
function(troupe_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;DEPS;EXTERNAL" ${ARGN})
  add_library(troupe_${name} STATIC ${arg_SOURCES})
  add_library(troupe::${name} ALIAS troupe_${name})
  target_sources(troupe_${name} PUBLIC FILE_SET HEADERS BASE_DIRS
                 ${CMAKE_SOURCE_DIR} FILES ${arg_HEADERS})
  target_include_directories(troupe_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(troupe_${name} PUBLIC ${arg_DEPS} ${arg_EXTERNAL}
                        PRIVATE troupe_warnings)
endfunction()

# troupe_test(name SOURCES … DEPS …): one GoogleTest binary a layer, every
# test registered with ctest.
function(troupe_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest
                        GTest::gtest_main troupe_warnings)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
