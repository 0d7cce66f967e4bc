/* The program that everything is measured with: it does nothing. */
int main(void)
{
    return 0;
}
