"""Is the teacher biased?"""
