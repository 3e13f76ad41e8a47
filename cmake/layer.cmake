# troupe_layer(name SOURCES … HEADERS … DEPS … EXTERNAL …)
#
# One folder, one static library, one namespace. HEADERS compile alone: those
# with a source of the same name because it includes them first (test `layers`),
# the others by a target that verifies them (test `headers_compile_alone`). DEPS
# are other layers, EXTERNAL third-party targets that the layer's headers or
# sources use.
function(troupe_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;DEPS;EXTERNAL" ${ARGN})
  add_library(troupe_${name} STATIC ${arg_SOURCES})
  add_library(troupe::${name} ALIAS troupe_${name})
  set(verified "")
  set(of_a_source "")
  foreach(header IN LISTS arg_HEADERS)
    string(REGEX REPLACE "hpp$" "cpp" source ${header})
    if(source IN_LIST arg_SOURCES)
      list(APPEND of_a_source ${header})
    else()
      list(APPEND verified ${header})
    endif()
  endforeach()
  target_sources(
    troupe_${name}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${verified}
           FILE_SET headers_of_a_source TYPE HEADERS
           BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${of_a_source})
  set_target_properties(troupe_${name} PROPERTIES
                        INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
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
