// What a script adds to the pages of people who work here. Everything works without it.
