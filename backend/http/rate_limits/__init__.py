"""Rate limits: sliding windows of a minute, an hour and a day, counted in Redis (R-LIMIT).

Routes declare a class; Flask-Limiter checks it with the strategy `sliding-windows`, which takes the verdict from the
reply to the request's admission. In: the subject and the class of a request. Out: a verdict, and its headers.
The pipeline and the fast path call it. Without Redis each process counts for itself.
"""
