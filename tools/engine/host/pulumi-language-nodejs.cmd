@node "%~dp0language-host.js" %*
