"""Lambda: functions, their versions and aliases, who may invoke them, and their invocations.

answers        the form of Lambda's responses
references     which function a request names
configuration  what a function is made of
code           its package
layers         the layers that exist, and those that a function may have
roles          the role of a function
states         what a function is doing, and what cannot be done meanwhile
versions       published versions
aliases        names of versions
permissions    the resource policies of a function, its versions and aliases
concurrency    reserved executions
tags           tags of functions
invocations    Invoke
platform_log   the lines of Lambda itself in a function's log
logs           log groups and streams of functions
metrics        the metrics of functions
"""
