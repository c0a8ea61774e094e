"""Builds the package of a function, and finds why it could not run before anything is deployed.

package       a function's source -> the files of its package, and their errors
contents      the user's own files: a folder, a file or a zip, and `include`
zips          zips: unpacked into the cache, written with file modes
requirements  requirements.txt -> lock file -> the files of its wheels
requirement_files  which requirements.txt can be locked
uv            the program that resolves and installs
distributions metadata of installed distributions in a package
bytecode      modules compiled by the Python that runs them
runtimes      Python version, C library and modules of a runtime
binaries      native libraries for another platform
handlers      whether the package has the handler
imports       imports that the package cannot satisfy
sizes         limits of Lambda
store         the cache, `.packages/`

Pure: no Pulumi, no boto3. Nothing here raises for bad input: an error is a pair of a config key
below the function's and a message to be read after that key.
"""
