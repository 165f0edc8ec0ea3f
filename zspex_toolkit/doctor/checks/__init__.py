"""Checks of ``zspex doctor``, one a file; each exports one function of :class:`~zspex_toolkit.doctor.finding.Asked`."""
