/**
 * Texts that would do something if anything took them for more than text. Each would set `xss` on the page.
 */
export const texts: ReadonlyArray<string> = [
  "<script>window.xss=1</script>",
  "<img src=x onerror=window.xss=1>",
  "<svg/onload=window.xss=1>",
  "\"><img src=x onerror=window.xss=1>",
  "' onmouseover='window.xss=1' autofocus onfocus='window.xss=1",
  "</title></textarea></style><script>window.xss=1</script>",
  "<iframe srcdoc=\"<script>parent.xss=1</script>\"></iframe>",
  "<iframe src=\"javascript:parent.xss=1\"></iframe>",
  "<math><mtext><table><mglyph><style><img src=x onerror=window.xss=1>",
  "<a href=\"javascript:window.xss=1\">a</a> [a](javascript:window.xss=1) ![a](x\"onerror=\"window.xss=1)",
  "{{constructor.constructor('window.xss=1')()}} ${window.xss=1} <%= window.xss=1 %>",
  "<form action=javascript:window.xss=1><button>send</button></form><base href=//evil.test/>",
  "<meta http-equiv=refresh content=\"0;url=//evil.test/\"><link rel=stylesheet href=//evil.test/a.css>",
  "data:text/html,<script>window.xss=1</script>",
  "javascript:window.xss=1//http://example.test",
  "__proto__ constructor toString hasOwnProperty",
  "\u202Eevil\u202C \u0000 \u2028 \uD800 \u{1F9FF} ",
  `${"<b>".repeat(200)}long${"x".repeat(3_000)}`
]

/** All of them in one text. */
export const everything: string = texts.join("\n")

/** Addresses nobody should be sent to by a click. */
export const urls: ReadonlyArray<string> = [
  "javascript:window.xss=1",
  "JaVaScRiPt:window.xss=1",
  "\u0001javascript:window.xss=1",
  "java\nscript:window.xss=1",
  "data:text/html,<script>opener.xss=1</script>",
  "vbscript:window.xss=1",
  "file:///etc/passwd",
  "//evil.test/\"onclick=\"window.xss=1",
  "https://user:pass@xn--80ak6aa92e.com:8443/path?<script>window.xss=1</script>"
]
