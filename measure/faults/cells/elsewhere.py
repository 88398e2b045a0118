"""Lines of the matrix that are not run, and why."""

from measure.faults.cell import Cell

CELLS = (
    Cell("F32", "limits of the machine", "64 files, threads, memory", "503, no crash loop", why_not="not built yet"),
    Cell(
        "F34",
        "services elsewhere down",
        "breached-password service, DNS, identity provider",
        "local list decides",
        why_not="there is no social sign-in and no service of that kind yet",
    ),
    Cell("F37", "soak", "24 hours of the mix", "memory, files and connections flat", why_not="takes a day"),
)
