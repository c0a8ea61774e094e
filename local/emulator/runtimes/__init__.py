"""What runs functions: interpreters, and the processes of an execution environment.

interpreters   the program that runs functions of a runtime
libraries      the packages that Lambda's Python runtimes bring
python_host    runs a Python function, in its process
python_log     what the Python runtime writes to the function's log
node_host.cjs  runs a Node function, in its process
namespaces     a network of its own for an execution environment, where there are any
networks       the networks of all environments, and the ports of this machine that they reach
forwarding     passes connections on from one to the other
sandbox        the processes of one execution environment: the function and its extension
variables      the environment variables of a function
environment    an execution environment, from package and layers to the result of an invocation
"""
