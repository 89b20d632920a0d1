"""Texts that try to get out of where they are shown."""

HOSTILE = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "' onmouseover='document.title=1",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "\u202egnirts desrever\u202c",
    "line\u2028separator\u2029",
    "nul\x00bell\x07escape\x1b[31m",
    "javascript:alert(1)",
    "]]></style><style>body{display:none}</style>",
    "&lt;b&gt; & lt ; script & gt ;",
    "\U0001f600 emoji, e\u0301, \u05e9\u05dc\u05d5\u05dd",
)
ALL = " ".join(HOSTILE)
