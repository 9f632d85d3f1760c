# cmake -D OUT=table.c "-DASSETS=/path=file;..." -P embed.cmake: writes files as C, each with its
# type, its gzip form where that is smaller, and entity tags.

set(type_html "text/html;charset=utf-8")
set(type_css "text/css;charset=utf-8")
set(type_js "text/javascript;charset=utf-8")
set(type_svg "image/svg+xml")

function(bytes_of file name out)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  set(${out} "static const unsigned char ${name}[] = {\n${hex}};\n" PARENT_SCOPE)
endfunction()

function(slice_of name size out)
  set(${out} "{(const char *)${name}, ${size}}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(n 0)
foreach(asset IN LISTS ASSETS)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${asset}")
  set(path ${CMAKE_MATCH_1})
  set(file ${CMAKE_MATCH_2})
  string(REGEX MATCH "[a-z]+$" extension ${file})
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "embed.cmake: no content type is known for ${file}")
  endif()

  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 32 etag)
  bytes_of(${file} body_${n} array)
  string(APPEND arrays "${array}")
  file(SIZE ${file} size)
  slice_of(body_${n} ${size} body)

  # -n: no name and time in it, so that the same files give the same program.
  set(packed ${OUT}.gz)
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  file(SIZE ${packed} packed_size)
  set(gzip "{NULL, 0}")
  if(packed_size LESS size)
    bytes_of(${packed} gzip_${n} array)
    string(APPEND arrays "${array}")
    slice_of(gzip_${n} ${packed_size} gzip)
  endif()
  file(REMOVE ${packed})

  string(APPEND rows "    {SLICE(\"${path}\"), SLICE(\"${type_${extension}}\"), SLICE(\"\\\"${etag}\\\"\"),\n"
    "     ${body}, SLICE(\"\\\"${etag}-gz\\\"\"), ${gzip}},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE ${OUT} "/* Written by cmake/embed.cmake. */\n#include \"gateway/web/table.h\"\n\n${arrays}\n"
  "const struct web_asset web_assets[] = {\n${rows}};\nconst size_t n_web_assets = ${n};\n")
