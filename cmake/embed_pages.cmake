# cmake -DFOLDER=<folder> -DPAGES=<path>|<path>… -DOUTPUT=<file.cpp>
#       -P cmake/embed_pages.cmake
#
# Writes files as the table of app/web_pages.hpp. "index.html" is the page of
# its folder. '|' stands for ';', which would not survive a command line.
string(REPLACE "|" ";" PAGES "${PAGES}")
set(types
  "html=text/html\\; charset=utf-8"
  "js=text/javascript\\; charset=utf-8"
  "css=text/css\\; charset=utf-8"
  "svg=image/svg+xml")

set(arrays "")
set(rows "")
set(number 0)
foreach(page IN LISTS PAGES)
  get_filename_component(extension ${page} LAST_EXT)
  string(SUBSTRING ${extension} 1 -1 extension)
  set(type "")
  foreach(each IN LISTS types)
    if(each MATCHES "^${extension}=(.*)$")
      set(type "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  if(type STREQUAL "")
    message(FATAL_ERROR "${page}: no content type for .${extension}")
  endif()
  file(READ ${FOLDER}/${page} bytes HEX)
  file(SHA256 ${FOLDER}/${page} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "index\\.html$" "" path "/${page}")
  string(APPEND arrays
    "constexpr unsigned char page_${number}[] = {${bytes}};\n")
  string(APPEND rows
    "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", bytes_of(page_${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT} "// Made by cmake/embed_pages.cmake.
#include \"app/web_pages.hpp\"

#include <cstddef>

namespace troupe::app {
namespace {

${arrays}
template <std::size_t Size>
std::string_view bytes_of(const unsigned char (&page)[Size]) {
  return {reinterpret_cast<const char*>(page), Size};
}

} // namespace

const std::vector<web_page>& web_pages() {
  static const std::vector<web_page> pages{
${rows}  };
  return pages;
}

} // namespace troupe::app
")
