"""What is in a function's package, and why it could not run: found before anything is deployed.

package       a function's source -> files of its package, and what is wrong with them
contents      the user's own files: a folder, a file or a zip, and what is included
zips          zips: unpacked into the cache, written with file modes
requirements  requirements.txt -> lock -> the files of its wheels
requirement_files  what requirements.txt may say
uv            the program that resolves and installs
distributions what installed distributions in a package say about themselves
bytecode      modules compiled by the Python that runs them
runtimes      what a runtime has: its Python, its C library, its modules
binaries      native libraries for another platform
handlers      whether the package has the handler
imports       imports that the package cannot satisfy
sizes         what Lambda accepts
store         the cache, `.packages/`

Pure: no Pulumi, no boto3. Nothing here raises for bad input: an error is a pair of the config key
below the function's and a message to be read after that key.
"""
