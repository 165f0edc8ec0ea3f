"""Tables, figures and pages; what both kinds of report share lies here."""
