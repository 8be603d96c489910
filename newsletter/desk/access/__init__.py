"""Who may do what at the desk: roles, what each is limited to, and the rows of each page (I5)."""
