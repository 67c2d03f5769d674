"""May this policy version ship?"""
